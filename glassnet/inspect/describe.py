"""A network as a table: each layer's address, type, output shape and number of parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from glassnet.inspect.trace import trace
from glassnet.inspect.traced import Call, Trace


@dataclass(frozen=True)
class LayerRow:
    """One line of a table of layers.

    Attributes
    ----------
    address : str
        Name in ``named_modules()``.
    kind : str
        Class of the layer.
    output_shape : tuple of int, or None
        Of the first output of the first call; None for a layer that was not called.
    parameters : int
        Its own weights and biases; those of its parts stand in their rows.
    calls : int
        How often it was called.
    """

    address: str
    kind: str
    output_shape: tuple[int, ...] | None
    parameters: int
    calls: int


@dataclass(frozen=True)
class LayerTable:
    """The layers of a network in the order of their first calls, those not called at the end.

    Attributes
    ----------
    rows : tuple of LayerRow
    parameters : int
        All of the network's, shared ones once.
    """

    rows: tuple[LayerRow, ...]
    parameters: int

    def __iter__(self) -> Iterator[LayerRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        lines = [("layer", "type", "output", "parameters")]
        for row in self.rows:
            shape = "not called" if row.output_shape is None else " x ".join(map(str, row.output_shape))
            times = f" ({row.calls} calls)" if row.calls > 1 else ""
            lines.append((row.address or "(model)", row.kind, shape + times, f"{row.parameters:,}"))
        lines.append(("total", "", "", f"{self.parameters:,}"))
        w = [max(len(line[i]) for line in lines) for i in range(4)]
        text = [f"{a:<{w[0]}}  {b:<{w[1]}}  {c:<{w[2]}}  {d:>{w[3]}}" for a, b, c, d in lines]
        rule = "-" * len(text[0])
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1]])


def describe(model: Any, *inputs: Any, kwargs: Mapping[str, Any] | None = None) -> LayerTable:
    """Return the table of a network's layers for one input.

    Parameters
    ----------
    model : Module or fitted estimator
        What `glassnet.inspect.trace.trace` takes.
    *inputs : Tensor or ndarray, or tuples and dicts of them
        What the model is called with; only the shapes are kept.
    kwargs : mapping, optional
        Keyword arguments of the model.

    Returns
    -------
    LayerTable
        A row for each layer that has no parts or has parameters of its own.

    Raises
    ------
    ForwardError, InvalidInputError
        As `glassnet.inspect.trace.trace`.

    Examples
    --------
    >>> import torch
    >>> print(describe(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.zeros(2, 4)))
    layer  type    output  parameters
    ---------------------------------
    0      Linear  2 x 3           15
    1      ReLU    2 x 3            0
    ---------------------------------
    total                          15
    """
    module = getattr(model, "module_", model)
    if not isinstance(module, nn.Module):
        return _dense_table(trace(model, *inputs))
    seen = trace(module, *inputs, layers=(), kwargs=kwargs)
    parts = {
        address: layer
        for address, layer in module.named_modules()
        if not any(True for _ in layer.children()) or any(True for _ in layer.parameters(recurse=False))
    }
    called = dict.fromkeys(call.address for call in seen.calls if call.address in parts)
    rows = [_row(address, parts[address], seen) for address in {**called, **dict.fromkeys(parts)}]
    return LayerTable(tuple(rows), sum(p.numel() for p in module.parameters()))


def _row(address: str, layer: nn.Module, seen: Trace) -> LayerRow:
    calls = [call for call in seen.calls if call.address == address]
    own = sum(p.numel() for p in layer.parameters(recurse=False))
    return LayerRow(address, type(layer).__name__, _output_shape(calls[0]) if calls else None, own, len(calls))


def _output_shape(call: Call) -> tuple[int, ...] | None:
    return next((shape for quantity, shape in call.shapes.items() if quantity.startswith("output")), None)


def _dense_table(seen: Trace) -> LayerTable:
    """Return the table of a multilayer perceptron."""
    rows = []
    for call in seen.calls:
        own = call.values["weight"].numel() + call.values["bias"].numel()
        rows.append(LayerRow(call.address, call.kind, call.shapes["output"], own, 1))
    return LayerTable(tuple(rows), sum(row.parameters for row in rows))
