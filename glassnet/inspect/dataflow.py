"""The graph of a forward pass: which layer's output goes into which, read off the tensors of a trace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from glassnet.errors import InvalidInputError
from glassnet.inspect.traced import Call, Trace

_ACTIVATIONS = ("input", "output", "attention", "pre_activation")


@dataclass
class Node:
    """A layer, an operation, or a whole module with all that happens in it.

    Attributes
    ----------
    name : str
        Its address; of several alike in a row the first and the last.
    kind : str
        Class of the layer, name of the operation, or "input".
    calls : list of Call
        The innermost calls that it stands for, in order.
    sources : list of int
        Numbers of the nodes whose outputs it takes.
    output_shape : tuple of int
    parameters, shared : int
        Number of weights and biases, and of those that an earlier node counts already.
    times : int
        How many nodes alike follow one another and are drawn as this one.
    """

    name: str
    kind: str
    calls: list[Call] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    output_shape: tuple[int, ...] = ()
    parameters: int = 0
    shared: int = 0
    times: int = 1


def dataflow(trace: Trace, depth: int | None = None, model: nn.Module | None = None) -> list[Node]:
    """Return the nodes of a recorded forward pass, each after those that it takes from.

    Parameters
    ----------
    trace : Trace
        With all of its values recorded.
    depth : int, optional
        Fold what lies in modules this many names deep: 1 makes ``layer1`` one node, 2
        ``layer1.0``. None folds only modules that have parameters of their own, as always.
    model : Module, optional
        What was traced. Then parameters that its modules hold without calling them as layers
        are counted too.

    Returns
    -------
    list of Node
        First the inputs. What is done to parameters alone is left out.

    Raises
    ------
    InvalidInputError
        If ``depth`` is below 1 or the trace holds no values.

    Examples
    --------
    >>> import torch
    >>> from glassnet.inspect.trace import trace
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    >>> [(node.name, node.kind, node.sources) for node in dataflow(trace(net, torch.ones(4, 2)))]
    [('input', 'input', []), ('0', 'Linear', [0]), ('1', 'ReLU', [1])]
    """
    if depth is not None and depth < 1:
        raise InvalidInputError(f"depth is at least 1, got {depth!r}.")
    if not any(call.values for call in trace.calls):
        raise InvalidInputError("The trace holds no values, and so does not show what flows where; record all layers.")
    nodes, made_by = _inputs(trace)
    groups: dict[object, int] = {}
    for key, name, kind, call in _leaves(trace, depth):
        sources = _sources(call, made_by, len(nodes) - 1)
        if sources is None:
            continue
        if key not in groups:
            groups[key] = len(nodes)
            nodes.append(Node(name, kind))
        number = groups[key]
        nodes[number].calls.append(call)
        nodes[number].sources = sorted({*nodes[number].sources, *sources} - {number})
        made_by.update({id(tensor): number for quantity, tensor in call.values.items() if _is(quantity, "output")})
    counted: set[int] = set()
    for node in nodes:
        _measure(node, counted, model)
    return nodes


def fold_repeats(nodes: list[Node]) -> list[Node]:
    """Return the nodes with those alike that follow one another drawn together.

    Nodes are alike if kind, shape and number of parameters are equal, and nothing else takes
    what passes between them.

    Parameters
    ----------
    nodes : list of Node
        From `dataflow`.

    Returns
    -------
    list of Node
        New nodes, with ``times`` and their names set.
    """
    kept: list[Node] = []
    place: list[int] = []  # of each old node among the new
    for i, node in enumerate(nodes):
        before = node.sources[-1] if node.sources else -1
        takers = [j for j, other in enumerate(nodes) if before in other.sources]
        last = kept[place[before]] if before >= 0 else None
        if last is not None and takers == [i] and _alike(nodes[before], node) and place[before] == len(kept) - 1:
            last.times += node.times
            last.calls = [*last.calls, *node.calls]
            last.name = f"{last.name.partition(' ')[0]} … {node.name}"
        else:
            kept.append(replace(node, sources=sorted({place[s] for s in node.sources})))
        place.append(len(kept) - 1)
    return kept


def _alike(a: Node, b: Node) -> bool:
    same = (a.kind, a.output_shape, a.parameters) == (b.kind, b.output_shape, b.parameters)
    return same and a.parameters > 0 and len(a.sources) == len(b.sources)


def _is(quantity: str, what: str) -> bool:
    return quantity.partition(".")[0] == what


def _inputs(trace: Trace) -> tuple[list[Node], dict[int, int]]:
    """Return a node for each input of the model, and the tensors that they give; what is given twice is one."""
    first, nodes, made_by = trace.calls[0], [], {}
    for quantity, tensor in first.values.items():
        name = quantity.replace(".", " ")
        if not _is(quantity, "input"):
            continue
        if id(tensor) in made_by:
            nodes[made_by[id(tensor)]].name += f", {name}"
        else:
            made_by[id(tensor)] = len(nodes)
            nodes.append(Node(name, "input", output_shape=tuple(tensor.shape)))
    return nodes, made_by


def _leaves(trace: Trace, depth: int | None) -> Iterator[tuple[object, str, str, Call]]:
    """Yield the innermost calls with the node that each belongs to: its key, name and kind."""
    modules = [call.address.partition(":")[0] for call in trace.calls]
    inner = {path[:i] for path in modules for i, letter in enumerate(path) if letter == "."}
    inner |= {call.address.partition(":")[0] for call in trace.calls if call.is_operation}
    inner |= {""} if len(trace.calls) > 1 else set()
    latest: dict[str, Call] = {}
    for call, path in zip(trace.calls, modules, strict=True):
        latest[call.address] = call
        whole = _folded(path, depth, latest)
        if not call.is_operation and path in inner and not _parameters(call):
            continue
        if whole is not None:
            yield (whole.address, whole.number), whole.address, whole.kind, call
        else:
            yield (call.address, call.number), call.address.lstrip(":"), call.kind, call


def _folded(path: str, depth: int | None, latest: dict[str, Call]) -> Call | None:
    """Return the call of the outermost module that is drawn as one node, if there is one."""
    parts = path.split(".") if path else []
    for i in range(1, len(parts) + 1):
        whole = latest.get(".".join(parts[:i]))
        if whole is not None and (i == depth or _parameters(whole)):
            return whole
    return None


def _parameters(call: Call) -> dict[str, Tensor]:
    """Return a layer's own weights and biases."""
    if call.is_operation:
        return {}
    return {q: tensor for q, tensor in call.values.items() if not any(_is(q, what) for what in _ACTIVATIONS)}


def _sources(call: Call, made_by: dict[int, int], newest: int) -> list[int] | None:
    """Return where a call's inputs come from; None if it works on parameters alone."""
    inputs = [tensor for quantity, tensor in call.values.items() if _is(quantity, "input")]
    found = sorted({made_by[id(tensor)] for tensor in inputs if id(tensor) in made_by})
    if found or not inputs:
        return found
    return None if call.is_operation else [newest]


def _measure(node: Node, counted: set[int], model: nn.Module | None) -> None:
    """Set shape and number of parameters of a node from its calls, or from the module that it stands for."""
    tensors: list[Tensor] = []
    for call in node.calls:
        outputs = [shape for quantity, shape in call.shapes.items() if _is(quantity, "output")]
        node.output_shape = outputs[0] if outputs else node.output_shape
        tensors += _parameters(call).values()
    if model is not None and node.calls and not (len(node.calls) == 1 and node.calls[0].is_operation):
        tensors = list(model.get_submodule(node.name).parameters())
    own = {id(tensor): tensor.numel() for tensor in tensors}
    node.shared = sum(n for tensor, n in own.items() if tensor in counted)
    node.parameters = sum(own.values()) - node.shared
    counted.update(own)
