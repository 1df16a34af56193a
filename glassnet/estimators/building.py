"""Modules made for data: by name, by a callable, or from an instance; and what passes through their layers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn

from glassnet.errors import InvalidInputError
from glassnet.learning.dropout import global_stream
from glassnet.registry import EXPERIMENTS, MODULES, resolve


def build_module(
    given: Any,
    options: Mapping[str, Any] | None,
    input_shape: tuple[int, ...],
    n_outputs: int,
    seed: int,
    dtype: torch.dtype = torch.float32,
) -> nn.Module:
    """Return a module for samples of this shape, built under the seed, in float32.

    Parameters
    ----------
    given : str, callable or Module
        A name of `glassnet.registry.MODULES` or `EXPERIMENTS`; a callable, called with those of ``n_features``,
        ``in_channels``, ``image_shape``, ``n_outputs`` and ``n_classes`` that it takes by name;
        or a module, which is copied.
    options : mapping of str to Any, optional
        Further keywords for the name or the callable.
    input_shape : tuple of int
        Of one sample.
    n_outputs : int
        Numbers that the module must return for each sample.
    seed : int
    dtype : torch.dtype
        Of the module's numbers.

    Returns
    -------
    Module
        In evaluation mode; lazy layers have their shapes.

    Raises
    ------
    UnknownNameError, InvalidInputError
        If the name is unknown, or what is built is no module for such samples.

    Examples
    --------
    >>> build_module(lambda n_features, n_outputs: nn.Linear(n_features, n_outputs), None, (3,), 2, seed=0)
    Linear(in_features=3, out_features=2, bias=True)
    """
    with global_stream(seed, "weights"):
        if isinstance(given, nn.Module):
            module = copy.deepcopy(given)
        else:
            make = resolve(MODULES | EXPERIMENTS, "module", given) if isinstance(given, str) else given
            module = _call(make, dict(options or {}), input_shape, n_outputs)
        if not isinstance(module, nn.Module):
            raise InvalidInputError(f"module must be, or make, a torch.nn.Module; got {type(module).__name__}.")
        module = module.to("cpu", dtype).eval()
        _check_output(module, torch.zeros(2, *input_shape, dtype=dtype), n_outputs)
    return module


def _call(make: Any, options: dict[str, Any], input_shape: tuple[int, ...], n_outputs: int) -> Any:
    if not callable(make):
        raise InvalidInputError(f"module is a name, a callable or a torch.nn.Module, got {make!r}.")
    offered = {"n_outputs": n_outputs, "n_classes": n_outputs, "image_shape": input_shape}
    offered |= {"n_features": input_shape[0]} if len(input_shape) == 1 else {"in_channels": input_shape[0]}
    taken = signature(make).parameters
    if any(p.kind is Parameter.VAR_KEYWORD for p in taken.values()) and make in map(_named, MODULES):
        taken = {"n_classes", "in_channels"}  # glassnet's own networks all take these
    return make(**{name: value for name, value in offered.items() if name in taken} | options)


def _named(name: str) -> Any:
    return resolve(MODULES, "module", name)


def _check_output(module: nn.Module, samples: Tensor, n_outputs: int) -> None:
    """Send two empty samples through the module and look at what comes out."""
    name = type(module).__name__
    try:
        with torch.no_grad():
            output = module(samples)
    except (RuntimeError, TypeError, IndexError, AssertionError) as error:
        raise InvalidInputError(f"{name} cannot take samples of shape {tuple(samples.shape[1:])}: {error}") from error
    if not isinstance(output, Tensor) or tuple(output.shape) != (2, n_outputs):
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InvalidInputError(f"{name} must return shape (2, {n_outputs}) for two samples of this data, got {got}.")


def leaf_names(module: nn.Module) -> list[str]:
    """Return the addresses of the layers that have no parts of their own."""
    return [name for name, layer in module.named_modules() if name and not any(True for _ in layer.children())]


@contextmanager
def recorded(module: nn.Module, names: list[str]) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Watch layers: the dict given has (input, output) of each one's last call, in the order of the first calls."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def watch(name: str) -> Callable:
        def hook(layer: nn.Module, inputs: tuple, output: Any) -> None:
            seen[name] = (inputs[0], output if isinstance(output, Tensor) else output[0])

        return hook

    handles = [module.get_submodule(name).register_forward_hook(watch(name)) for name in names]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()
