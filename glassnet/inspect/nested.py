"""Tensors inside nested tuples, lists, dicts and data classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor


def tensors_in(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a nested value, each with its path: ``"output"``, ``"output.0"``, ``"output.logits"``."""
    if type(value) is Tensor or isinstance(value, Tensor):  # the second is slow
        yield name, value
    elif isinstance(value, Mapping):
        for key in value:
            yield from tensors_in(f"{name}.{key}", value[key])
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from tensors_in(f"{name}.{i}", item)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from tensors_in(f"{name}.{part.name}", getattr(value, part.name))


def inputs_in(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a call's arguments: ``"input"`` if there is one argument, else numbered and named."""
    if len(args) == 1 and not kwargs:
        yield from tensors_in("input", args[0])
    else:
        yield from tensors_in("input", args)
        yield from tensors_in("input", kwargs)


def once_each(change: Callable[[Tensor], Tensor]) -> Callable[[Any], Any]:
    """Return `change` for tensors, giving the same result for the same tensor; other values pass."""
    done: dict[int, tuple[Tensor, Tensor]] = {}

    def changed(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        if id(value) not in done:
            done[id(value)] = (value, change(value))
        return done[id(value)][1]

    return changed


def map_tensors(change: Callable[[Any], Any], value: Any) -> Any:
    """Return a nested tuple, list or dict with its leaves changed."""
    if type(value) is dict:
        return {key: map_tensors(change, item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        items = [map_tensors(change, item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return change(value)
