"""Logic from threshold neurons: any formula and any truth table as a layered network.

W. S. McCulloch and W. Pitts (1943), Bulletin of Mathematical Biophysics 5: nets of
threshold neurons compute every finite logical expression.

    h_0 = x,   h_l = [h_(l-1) W_l >= threshold_l],   answer = h_depth

Where this departs from the paper: their nets run in time and a signal takes one step per
neuron; here the steps are layers, and relay neurons carry a value over layers that do not
need it. Arithmetic stands in ``glassnet.networks.arithmetic``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glassnet.errors import InvalidInputError
from glassnet.networks.circuit import RELAY, Circuit, LayerStack, Literal
from glassnet.networks.formula import Formula, parse_formula
from glassnet.networks.mcculloch_pitts import McCullochPittsNeuron
from glassnet.networks.truth_tables import all_inputs, as_binary, as_truth_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class LogicNetwork:
    """Layers of McCulloch-Pitts neurons.

    Parameters
    ----------
    weights : sequence of array-like of shape (in, out)
        One matrix per layer.
    thresholds : sequence of array-like of shape (out,)
        One vector per layer; a neuron fires when its sum is at least its threshold.
    input_names, output_names : sequence of str, optional
        Default x1, x2, ... and y1, y2, ....
    labels : sequence of sequences of str, optional
        What each neuron does, layer by layer; "relay" marks those that only carry a value.

    Raises
    ------
    InvalidInputError
        If shapes do not fit one another or a number is not finite.

    References
    ----------
    W. S. McCulloch and W. Pitts (1943), Bulletin of Mathematical Biophysics 5.

    Examples
    --------
    >>> network = LogicNetwork.from_expression("a & ~b | c")
    >>> network.depth, network.n_neurons, network.n_relays
    (2, 3, 1)
    >>> network([[1, 0, 0], [1, 1, 0]]).tolist()
    [1, 0]
    """

    weights: Sequence[NDArray[np.float64]]
    thresholds: Sequence[NDArray[np.float64]]
    input_names: Sequence[str] = ()
    output_names: Sequence[str] = ()
    labels: Sequence[Sequence[str]] = ()

    def __post_init__(self) -> None:
        weights, thresholds = _checked_layers(self.weights, self.thresholds)
        labels = tuple(map(tuple, self.labels)) or tuple(("neuron",) * len(t) for t in thresholds)
        if list(map(len, labels)) != list(map(len, thresholds)):
            raise InvalidInputError(f"labels must name {list(map(len, thresholds))} neurons layer by layer")
        store = partial(object.__setattr__, self)
        store("weights", weights)
        store("thresholds", thresholds)
        store("labels", labels)
        store("input_names", _checked_names(self.input_names, len(weights[0]), "x"))
        store("output_names", _checked_names(self.output_names, len(thresholds[-1]), "y"))

    @classmethod
    def from_expression(cls, formula: str, names: Sequence[str] | None = None) -> LogicNetwork:
        """Build the network of a formula.

        Parameters
        ----------
        formula : str
            Such as ``"a & ~b | c"``; see ``glassnet.networks.formula`` for the operators.
        names : sequence of str, optional
            The inputs in the wanted order; names the formula does not use are allowed.
            Default: its names in the order of first appearance.

        Returns
        -------
        LogicNetwork

        Raises
        ------
        InvalidInputError
            If the formula is wrong (with its column), or ``names`` lacks one of its names.

        Examples
        --------
        >>> LogicNetwork.from_expression("a xor b").truth_table().tolist()
        [0, 1, 1, 0]
        """
        tree, found = parse_formula(formula)
        names = found if names is None else _checked_names(names, len(names), "")
        missing = [name for name in found if name not in names]
        if missing:
            raise InvalidInputError(f"the formula uses {missing}, which names={list(names)} lacks")
        circuit = Circuit(len(names))
        root = _wire(tree, circuit, dict(zip(names, circuit.inputs, strict=True)))
        return cls.from_layers(circuit.layers([root]), names, (formula,))

    @classmethod
    def from_truth_table(cls, table: ArrayLike, names: Sequence[str] = ()) -> LogicNetwork:
        """Build the network of a truth table, at most two layers deep.

        Each row that answers 1 becomes a neuron that fires for that row alone, and the
        output fires when any of them does; where more than half of the rows answer 1,
        the rows that answer 0 are taken and the output is negated.

        Parameters
        ----------
        table : array-like of shape (2**n,) or (2**n, outputs)
            Zeros and ones in counting order, the first input being the most significant.
        names : sequence of str, optional
            Names of the n inputs. Default x1, x2, ....

        Returns
        -------
        LogicNetwork

        Raises
        ------
        InvalidInputError
            If the number of rows is not a power of two, or a value is not 0 or 1.

        Examples
        --------
        >>> LogicNetwork.from_truth_table([0, 1, 1, 0]).truth_table().tolist()
        [0, 1, 1, 0]
        """
        values, n_inputs = as_truth_table(table)
        columns = values.reshape(len(values), -1).T
        if not len(columns):
            raise InvalidInputError("a truth table needs at least one output column, got none")
        circuit = Circuit(n_inputs)
        return cls.from_layers(circuit.layers([_any_row(column, circuit) for column in columns]), names)

    @classmethod
    def from_layers(
        cls, stack: LayerStack, input_names: Sequence[str] = (), output_names: Sequence[str] = ()
    ) -> LogicNetwork:
        """Build the network of a circuit's layers."""
        return cls(stack.weights, stack.thresholds, input_names, output_names, stack.labels)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.weights)

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.weights[0])

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return len(self.thresholds[-1])

    @property
    def n_neurons(self) -> int:
        """Number of neurons, relays included."""
        return sum(map(len, self.thresholds))

    @property
    def n_relays(self) -> int:
        """Number of neurons that only carry a value over a layer."""
        return sum(layer.count(RELAY) for layer in map(tuple, self.labels))

    def neuron(self, layer: int, unit: int) -> McCullochPittsNeuron:
        """Return one neuron by itself; layers and units count from 0."""
        return McCullochPittsNeuron(self.weights[layer][:, unit], float(self.thresholds[layer][unit]))

    def activations(self, X: ArrayLike) -> list[NDArray[np.int64]]:
        """Return what every neuron answers: one array of shape (n, units) per layer.

        Parameters
        ----------
        X : array-like of shape (n, inputs)
            Zeros and ones.
        """
        return [layer.astype(np.int64) for layer in self._run(X)]

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the answers, shape (n,) for one output and (n, outputs) for several.

        Parameters
        ----------
        X : array-like of shape (n, inputs)
            Zeros and ones.

        Raises
        ------
        InvalidInputError
            If X has another shape or holds anything but zeros and ones.
        """
        *_, last = self._run(X)
        answers = last.astype(np.int64)
        return answers[:, 0] if self.n_outputs == 1 else answers

    __call__ = predict

    def truth_table(self) -> NDArray[np.int64]:
        """Return the answers to all inputs in counting order, shape (2**n,) or (2**n, outputs).

        Raises
        ------
        InvalidInputError
            If the network has more than 20 inputs.
        """
        return self.predict(all_inputs(self.n_inputs))

    def to_torch(self, dtype: torch.dtype | None = None) -> torch.nn.Sequential:
        """Return an equal ``torch.nn.Sequential`` of Linear and Step modules, bias = -threshold.

        Parameters
        ----------
        dtype : torch.dtype, optional
            Default float32, exact for the networks built by this package. Choose float64
            for your own weights that are not multiples of a power of two.

        Returns
        -------
        torch.nn.Sequential
            Maps (n, inputs) to (n, outputs), both zeros and ones of ``dtype``.
        """
        import torch

        from glassnet.networks.step_module import Step

        modules: list[torch.nn.Module] = []
        for weight, threshold in zip(self.weights, self.thresholds, strict=True):
            linear = torch.nn.utils.skip_init(torch.nn.Linear, *weight.shape, dtype=dtype or torch.float32)
            linear.load_state_dict({"weight": torch.tensor(weight.T), "bias": torch.tensor(-threshold)})
            modules += [linear, Step()]
        return torch.nn.Sequential(*modules)

    def _run(self, X: ArrayLike) -> Iterator[NDArray[np.bool_]]:
        values = as_binary(X, "X")
        if values.ndim != 2 or values.shape[1] != self.n_inputs:
            raise InvalidInputError(f"X must have shape (n, {self.n_inputs}), got {values.shape}")
        for weight, threshold in zip(self.weights, self.thresholds, strict=True):
            values = values.astype(np.float64) @ weight >= threshold
            yield values


def xor_by_hand() -> LogicNetwork:
    """Return XOR as the lecture wires it: two hidden neurons, weights +-1, thresholds 1/2.

    h1 = x1 and not x2, h2 = not x1 and x2, answer = h1 or h2.

    Examples
    --------
    >>> xor_by_hand().truth_table().tolist()
    [0, 1, 1, 0]
    """
    hidden = np.array([[1.0, -1.0], [-1.0, 1.0]])
    output = np.array([[1.0], [1.0]])
    labels = (("x1 and not x2", "not x1 and x2"), ("or",))
    return LogicNetwork((hidden, output), (np.array([0.5, 0.5]), np.array([0.5])), ("x1", "x2"), ("xor",), labels)


def _wire(tree: Formula, circuit: Circuit, inputs: dict[str, Literal]) -> Literal:
    """Wire a formula's operands, then the neuron that joins them."""
    if tree.operator == "name":
        return inputs[tree.name]
    if tree.operator == "constant":
        return circuit.all_of([]) if tree.name == "1" else circuit.any_of([])
    operands = []
    for operand in tree.operands:
        operands.append(_wire(operand, circuit, inputs))
    if tree.operator == "~":
        return ~operands[0]
    join = {"&": circuit.all_of, "|": circuit.any_of, "^": circuit.parity}
    return join[tree.operator](operands)


def _any_row(column: NDArray[np.int64], circuit: Circuit) -> Literal:
    """Wire the OR of the rows that answer 1, or NOT of the OR of those that answer 0."""
    mostly_on = int(2 * column.sum() > len(column))
    rows = all_inputs(circuit.n_inputs)[column != mostly_on]
    single = [circuit.all_of([Literal(node, not bit) for node, bit in enumerate(row)]) for row in rows]
    answer = circuit.any_of(single)
    return ~answer if mostly_on else answer


def _checked_layers(
    weights: Sequence[ArrayLike], thresholds: Sequence[ArrayLike]
) -> tuple[tuple[NDArray[np.float64], ...], tuple[NDArray[np.float64], ...]]:
    if not len(weights) or len(weights) != len(thresholds):
        raise InvalidInputError(
            f"a network needs one weight matrix and one threshold vector per layer, "
            f"got {len(weights)} and {len(thresholds)}"
        )
    pairs = [(np.array(w, np.float64), np.array(t, np.float64)) for w, t in zip(weights, thresholds, strict=True)]
    for index, (weight, threshold) in enumerate(pairs):
        n_in = pairs[index - 1][1].size if index else len(weight)
        if weight.shape != (n_in, threshold.size) or threshold.ndim != 1:
            raise InvalidInputError(
                f"layer {index} needs weights of shape ({n_in}, {threshold.size}) for its thresholds; "
                f"got weights {weight.shape}, thresholds {threshold.shape}"
            )
        if not (np.isfinite(weight).all() and np.isfinite(threshold).all()):
            raise InvalidInputError(f"layer {index} holds NaN or infinity")
        weight.flags.writeable = threshold.flags.writeable = False
    return tuple(w for w, _ in pairs), tuple(t for _, t in pairs)


def _checked_names(names: Sequence[str], count: int, prefix: str) -> tuple[str, ...]:
    checked = tuple(names) or tuple(f"{prefix}{index}" for index in range(1, count + 1))
    if len(checked) != count or len(set(checked)) != count:
        raise InvalidInputError(f"expected {count} different names, got {list(names)}")
    return checked
