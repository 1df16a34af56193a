"""The equations of a torch module: one for each layer and operation of a recorded forward pass.

What a tensor was made by is told by its identity. So an equation can be computed again from other inputs: by the
formulas in ``layer_formulas`` and ``operation_formulas``, which call no layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import InvalidInputError
from glassnet.plots.equation import Equation, indexed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from glassnet.inspect.dataflow import Node
    from glassnet.inspect.traced import Call, Trace

# of what an operation takes besides the outputs of others, by its kind; C of any other
CONSTANTS = {"linear": ("W", "b"), "conv2d": ("W", "b"), "embedding": ("E",), "layer_norm": (r"\gamma", r"\beta")}


@dataclass
class _Places:
    """Where recorded tensors come from.

    Parameters
    ----------
    symbols : list of str
        Of the network's inputs, then of the equations so far.
    made_by : dict of int to (int, int or None)
        Identity of a tensor -> number of its symbol, and which of several outputs it is.
    constant : set of int
        Identities of tensors that do not depend on the inputs.
    """

    symbols: list[str]
    made_by: dict[int, tuple[int, int | None]]
    constant: set[int]

    def symbol(self, tensor: Tensor) -> str:
        """Return the symbol of a tensor that an equation has made."""
        number, part = self.made_by[id(tensor)]
        return self.symbols[number] if part is None else indexed(self.symbols[number], part, 2)

    def make(self, symbol: str, outputs: Sequence[Tensor]) -> None:
        """Take a new equation in."""
        for i, tensor in enumerate(outputs):
            self.made_by[id(tensor)] = (len(self.symbols), i if len(outputs) > 1 else None)
        self.symbols.append(symbol)


def module_equations(
    model: nn.Module, *inputs: Any, kwargs: Mapping[str, Any] | None = None
) -> tuple[list[Equation], int]:
    """Run a module once; return what it did, each equation after those that it takes from, and how many inputs."""
    from glassnet.inspect.dataflow import dataflow
    from glassnet.inspect.trace import trace

    seen = trace(model, *inputs, kwargs=kwargs)
    nodes = dataflow(seen)
    n_inputs = sum(node.kind == "input" for node in nodes)
    places = _Places([], {}, _constant(seen, nodes, model))
    for i, tensor in enumerate({id(t): t for t in _tensors(seen.calls[0], "input")}.values()):
        places.make("x" if n_inputs == 1 else f"x_{{{i + 1}}}", [tensor])
    layers, equations = dict(model.named_modules()), []
    for node in nodes[n_inputs:]:
        if _passes_on(node, layers, places):
            continue
        symbol = f"h_{{{len(equations) + 1}}}"
        equations.append(_equation(node, symbol, places, layers, n_inputs))
        places.make(symbol, _outputs(node))
    return [*equations, *_last(seen, places, n_inputs)], n_inputs


def _passes_on(node: Node, layers: Mapping[str, Any], places: _Places) -> bool:
    """Whether a node gives what it gets, as dropout does in evaluation mode; then it has no equation."""
    call = node.calls[0]
    layer = layers.get(call.address)
    known = [t for t in _tensors(call, "input") if id(t) in places.made_by]
    passes = call.kind == "Identity" or (call.kind.startswith("Dropout") and layer is not None and not layer.training)
    if len(node.calls) > 1 or not passes or len(known) != 1:
        return False
    places.made_by[id(_outputs(node)[0])] = places.made_by[id(known[0])]
    return True


def _last(seen: Trace, places: _Places, n_inputs: int) -> list[Equation]:
    """Return the equation that says what the output is, if it is not what the last equation gives."""
    output = _tensors(seen.calls[0], "output")[0]
    number, part = places.made_by.get(id(output), (None, None))
    if number == len(places.symbols) - 1 >= n_inputs and part is None:
        return []

    def function(value: Any) -> np.ndarray:
        if number is None:
            raise InvalidInputError("What the output was made of has not been recorded.")
        return _part(value, part).numpy()

    from_ = "?" if number is None else places.symbol(output)
    takes = (len(places.symbols) - 1 if number is None else number) - n_inputs
    return [Equation("y", (f"y = {from_}",), (takes,), tuple(output.shape[1:]), {}, function)]


def _equation(node: Node, symbol: str, places: _Places, layers: Mapping[str, Any], n_inputs: int) -> Equation:
    """Return the equation of one node: one layer or operation, or a layer with all that happens in it."""
    steps, made = _steps(node), places.made_by
    inside = {id(tensor) for call in steps for tensor in _tensors(call, "output")} if len(steps) > 1 else set()
    given = [(call, tensor) for call in steps for tensor in _tensors(call, "input") if id(tensor) not in inside]
    takes = [tensor for _, tensor in given if id(tensor) in made]
    takes = takes if len(steps) == 1 else list({id(tensor): tensor for tensor in takes}.values())
    lost = [call.address for call, tensor in given if id(tensor) not in {*made, *places.constant}]
    where = [made[id(tensor)] for tensor in takes]
    lines, parameters = _written(node.calls[0], symbol, places, takes)

    def function(*values: Any) -> Any:
        if lost:
            raise InvalidInputError(f"Where an input of {lost[0]!r} comes from has not been recorded.")
        known = {id(t): _part(value, part) for t, value, (_, part) in zip(takes, values, where, strict=True)}
        return _replayed(steps, _outputs(node), known, layers)

    numbers = tuple(number - n_inputs for number, _ in where)
    return Equation(symbol, lines, numbers, node.output_shape[1:], parameters, function)


def _written(
    call: Call, symbol: str, places: _Places, takes: Sequence[Tensor]
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Return an equation's lines, and its parameters by symbol."""
    from glassnet.plots.layer_formulas import formula_of
    from glassnet.plots.operation_formulas import operation_latex

    k = int(symbol[2:].strip("{}"))
    if call.is_operation:
        constants = _constants(call, places)
        parameters = {f"{name}_{{{k}}}": tensor for name, tensor in constants}
        operands = _operands(call, places, [*parameters])
        right = operation_latex(call, k, operands)
    else:
        formula, held = formula_of(call), _parameters(call)
        parameters = {f"{formula.symbols.get(name, _roman(name))}_{{{k}}}": tensor for name, tensor in held.items()}
        right = formula.latex(k, [places.symbol(t) for t in takes] or ["?"], "bias" in held)
    *before, last = right.split("\n")
    arrays = {name: np.asarray(tensor) for name, tensor in parameters.items()}
    return (*before, f"{symbol} = {last}"), arrays


def _constants(call: Call, places: _Places) -> list[tuple[str, Tensor]]:
    """Return what an operation takes besides the outputs of others: the symbol and the tensor of each."""
    found = [t for t in _tensors(call, "input") if id(t) not in places.made_by]
    names = CONSTANTS.get(call.kind, ())
    if len(found) > len(names):
        names = ("C",) if len(found) == 1 else tuple(f"C^{{{i + 1}}}" for i in range(len(found)))
    return list(zip(names, found, strict=False))


def _operands(call: Call, places: _Places, constants: Sequence[str]) -> list[str]:
    """Return the symbols of all tensors that an operation takes, in their order."""
    left = iter(constants)
    return [places.symbol(t) if id(t) in places.made_by else next(left) for t in _tensors(call, "input")]


def _roman(name: str) -> str:
    return rf"\mathrm{{{name.replace('_', ' ').replace('.', ' ')}}}"


def _replayed(
    steps: Sequence[Call], outputs: Sequence[Tensor], known: dict[int, Tensor], layers: Mapping[str, Any]
) -> np.ndarray | list[np.ndarray]:
    """Compute the steps one after the other, and return what the last of them give.

    ``known`` holds what recorded tensors, by identity, are replaced by.
    """
    from glassnet.inspect.nested import tensors_in
    from glassnet.plots.layer_formulas import evaluate

    for call in steps:
        taken = {
            quantity: known.get(id(tensor), tensor)
            for quantity, tensor in call.values.items()
            if _is(quantity, "input")
        }
        made = [tensor for _, tensor in tensors_in("", evaluate(call, taken, _parameters(call), layers))]
        known |= {id(old): new for old, new in zip(_tensors(call, "output"), made, strict=False)}
    if not all(id(tensor) in known for tensor in outputs):
        raise InvalidInputError(f"What {steps[-1].address!r} ({steps[-1].kind}) gives cannot be told from its inputs.")
    values = [known[id(tensor)].detach().numpy() for tensor in outputs]
    return values[0] if len(values) == 1 else values


def _part(value: Any, part: int | None) -> Tensor:
    import torch

    return torch.as_tensor(value if part is None else value[part])


def _steps(node: Node) -> list[Call]:
    """Return the calls in which a node does its work: not the layer that they happen in."""
    if len(node.calls) == 1:
        return node.calls
    paths = [call.address.partition(":")[0] for call in node.calls]
    return [
        call
        for i, call in enumerate(node.calls)
        if call.is_operation or not any(path == paths[i] or _within(path, paths[i]) for path in paths[i + 1 :])
    ]


def _within(path: str, outer: str) -> bool:
    return not outer or path.startswith(f"{outer}.")


def _outputs(node: Node) -> list[Tensor]:
    """Return what a node gives: the outputs of the layer that it is, or of its last call."""
    return _tensors(node.calls[0] if not node.calls[0].is_operation else node.calls[-1], "output")


def _constant(seen: Trace, nodes: Sequence[Node], model: nn.Module) -> set[int]:
    """Return the identities of what no node has made: parameters, buffers, and what is computed of these alone."""
    in_nodes = {id(call) for node in nodes for call in node.calls}
    whole = {id(call) for call in seen.calls if not call.is_operation}  # what contains nodes gives what these give
    alone = [call for call in seen.calls if id(call) not in in_nodes | whole]
    made = {id(tensor) for call in alone for tensor in _tensors(call, "output")}
    held = [*model.parameters(), *model.buffers()]
    loose = [t for call in seen.calls for t in _tensors(call, "input") if id(t) not in made]
    return made | {id(tensor) for tensor in loose if any(_same(tensor, other) for other in held)}


def _same(tensor: Tensor, held: Tensor) -> bool:
    import torch

    return tensor is held or (tensor.shape == held.shape and tensor.dtype == held.dtype and torch.equal(tensor, held))


def _tensors(call: Call, what: str) -> list[Tensor]:
    return [tensor for quantity, tensor in call.values.items() if _is(quantity, what)]


def _is(quantity: str, what: str) -> bool:
    return quantity.partition(".")[0] == what


def _parameters(call: Call) -> dict[str, Tensor]:
    """Return a layer's own weights and biases by name."""
    other = ("input", "output", "attention")
    return {q: t for q, t in call.values.items() if not any(_is(q, what) for what in other)}
