"""The neuron: a threshold unit, a spiking one beside it, and nets of threshold units (1943).

Nothing trains here: what is on screen follows from the settings alone.

References
----------
W. S. McCulloch, W. Pitts (1943). A logical calculus of the ideas immanent in nervous activity.
L. Lapicque (1907), for the spiking neuron.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from glassnet.errors import GlassnetError
from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.networks.arithmetic import ripple_carry_adder, run_integers
from glassnet.networks.integrate_and_fire import IntegrateAndFireNetwork, IntegrateAndFireNeuron
from glassnet.networks.logic import LogicNetwork
from glassnet.networks.mcculloch_pitts import McCullochPittsNeuron
from glassnet.networks.truth_tables import all_inputs

BITS = 4  # of the numbers that are added
MOST_NAMES = 4  # of a formula
MOST_NEURONS = 60  # of its network, so that it can be drawn
N_SHOWN, N_COUNTED = 120, 600  # steps of the trace, and of the count of spikes
CURRENTS = np.linspace(0, 1, 51)


class NeuronSettings(Settings):
    """What a visitor can change."""

    weight1: float = Field(1.0, ge=-2, le=2)
    weight2: float = Field(1.0, ge=-2, le=2)
    weight3: float = Field(1.0, ge=-2, le=2)
    three_inputs: bool = False
    threshold: float = Field(2.0, ge=-3, le=6)
    convention: Literal[">=", ">"] = ">="
    neuron_row: int = Field(3, ge=0, le=7)
    current: float = Field(0.25, ge=0, le=1)
    spike_threshold: float = Field(1.0, ge=0.2, le=2)
    leak: float = Field(0.2, ge=0, le=1)
    refractory: int = Field(2, ge=0, le=10)
    noise: float = Field(0.0, ge=0, le=1)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    formula: str = Field("a & ~b | ~a & b", min_length=1, max_length=120)
    formula_row: int = Field(2, ge=0, le=2**MOST_NAMES - 1)
    a: int = Field(11, ge=0, le=2**BITS - 1)
    b: int = Field(6, ge=0, le=2**BITS - 1)

    @field_validator("formula")
    @classmethod
    def _is_formula(cls, formula: str) -> str:
        try:
            network = LogicNetwork.from_expression(formula)
        except GlassnetError as error:
            raise ValueError(str(error)) from None
        if network.n_inputs > MOST_NAMES:
            raise ValueError(f"A formula has at most {MOST_NAMES} names here, got {network.n_inputs}.")
        if network.n_neurons > MOST_NEURONS:
            raise ValueError(f"This formula needs {network.n_neurons} neurons; {MOST_NEURONS} can be drawn.")
        return formula

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights of the inputs that there are."""
        return (self.weight1, self.weight2, self.weight3)[: 3 if self.three_inputs else 2]

    @property
    def spiking(self) -> IntegrateAndFireNeuron:
        """The integrate-and-fire neuron."""
        return IntegrateAndFireNeuron(self.spike_threshold, self.leak, self.refractory)


class NeuronExhibit(Exhibit):
    """Threshold neurons alone and in nets, and a spiking neuron.

    Examples
    --------
    >>> exhibit = NeuronExhibit(NeuronSettings(a=7, b=8, formula="p -> q"))
    >>> values = exhibit.frame().values
    >>> values["sum"], values["formula"]["table"]
    (15, [1, 1, 0, 1])
    """

    Settings = NeuronSettings
    parallel = 2

    settings: NeuronSettings

    def __init__(self, settings: NeuronSettings):
        super().__init__(settings)
        self.neuron = McCullochPittsNeuron(np.array(settings.weights), settings.threshold, settings.convention)
        self.logic = LogicNetwork.from_expression(settings.formula)
        self.adder = ripple_carry_adder(BITS)

    def frame(self) -> Frame:
        """Return the tables, the nets with what fires in them, the spikes and the rates."""
        s = self.settings
        rows = all_inputs(len(s.weights))
        formula_rows = all_inputs(self.logic.n_inputs)
        formula_row = min(s.formula_row, len(formula_rows) - 1)
        bits = [[(number >> bit) & 1 for number in (s.a, s.b) for bit in range(BITS)]]
        formula, formula_weights = _drawn(self.logic, formula_rows[[formula_row]])
        adder, adder_weights = _drawn(self.adder, bits)
        trace = _simulate(s.spiking, np.array([s.current]), s.noise, s.seed, N_SHOWN)
        rates, centre, width, difference = _rates(s.spiking, s.noise, s.seed)
        return Frame(
            {
                "inputs": rows.tolist(),
                "weightedSums": np.round(self.neuron.weighted_sum(rows), 6).tolist(),
                "answers": self.neuron(rows).tolist(),
                "spikes": int(trace.spikes.sum()),
                "rate": float(trace.spikes.mean()),
                "sigmoid": {"centre": centre, "width": width, "difference": difference},
                "row": min(s.neuron_row, len(rows) - 1),
                "formula": {**formula, "row": formula_row, "rows": formula_rows.tolist(),
                            "table": self.logic.truth_table().tolist()},
                "adder": adder,
                "sum": run_integers(self.adder, s.a, s.b),
            },
            {
                "trace": np.column_stack([trace.potentials, trace.spikes]).astype(np.float32),
                "rates": rates,
                "formulaWeights": formula_weights,
                "adderWeights": adder_weights,
            },
        )  # fmt: skip

    def python(self) -> str:
        """Return a script that prints the numbers on screen."""
        return _SCRIPT.format(s=self.settings, weights=self.settings.weights, bits=BITS, n_shown=N_SHOWN)


def _drawn(network: LogicNetwork, inputs: Any) -> tuple[dict[str, Any], np.ndarray]:
    """Return a net as a page draws it: names, what fires at this input, thresholds; and the flat weights."""
    layers = [np.asarray(inputs)[0], *(layer[0] for layer in network.activations(inputs))]
    values = {
        "inputNames": list(network.input_names),
        "outputNames": list(network.output_names),
        "labels": [list(layer) for layer in network.labels],
        "thresholds": [layer.tolist() for layer in network.thresholds],
        "fires": [layer.tolist() for layer in layers],
        "nNeurons": network.n_neurons,
        "nRelays": network.n_relays,
    }
    return values, np.concatenate([weight.ravel() for weight in network.weights]).astype(np.float32)


def _simulate(neuron: IntegrateAndFireNeuron, currents: np.ndarray, noise: float, seed: int, n_steps: int) -> Any:
    """Run a neuron at each current, with normal noise added in every step."""
    jitter = noise * np.random.default_rng(seed).standard_normal((n_steps, 1))
    apart = np.zeros((len(currents), len(currents)))
    return IntegrateAndFireNetwork(apart, neuron).simulate(currents + jitter)


@lru_cache(maxsize=32)
def _rates(neuron: IntegrateAndFireNeuron, noise: float, seed: int) -> tuple[np.ndarray, float, float, float]:
    """Return firing rates over the current, and the sigmoid that lies nearest.

    Returns
    -------
    rates : ndarray of float32, shape (n_currents, 3)
        Current, spikes per step, the sigmoid.
    centre, width : float
        Of the sigmoid ``top / (1 + exp(-(current - centre) / width))``; top is the largest rate possible.
    difference : float
        The mean distance of the two, as a share of the top.
    """
    from scipy.optimize import curve_fit
    from scipy.special import expit

    measured = _simulate(neuron, CURRENTS, noise, seed, N_COUNTED).spikes.mean(axis=0)
    top = 1 / (1 + neuron.refractory)

    def sigmoid(current: np.ndarray, centre: float, width: float) -> np.ndarray:
        return top * expit((current - centre) / width)

    (centre, width), _ = curve_fit(sigmoid, CURRENTS, measured, p0=(0.5, 0.1), bounds=([-2, 0.001], [3, 3]))
    nearest = sigmoid(CURRENTS, centre, width)
    rates = np.column_stack([CURRENTS, measured, nearest]).astype(np.float32)
    return rates, float(centre), float(width), float(np.abs(nearest - measured).mean() / top)


_SCRIPT = """\
import numpy as np

from glassnet import IntegrateAndFireNetwork, IntegrateAndFireNeuron, LogicNetwork, McCullochPittsNeuron
from glassnet import ripple_carry_adder
from glassnet.networks.arithmetic import run_integers

neuron = McCullochPittsNeuron({weights!r}, {s.threshold!r}, convention="{s.convention}")
print("answers", *neuron.truth_table())

spiking = IntegrateAndFireNeuron(threshold={s.spike_threshold!r}, leak={s.leak!r}, refractory={s.refractory!r})
noise = {s.noise!r} * np.random.default_rng({s.seed}).standard_normal(({n_shown}, 1))
spikes = IntegrateAndFireNetwork([[0.0]], spiking).simulate({s.current!r} + noise).spikes
print(f"rate {{spikes.mean():.3f}}")

logic = LogicNetwork.from_expression({s.formula!r})
print("neurons", logic.n_neurons)
print("table", *logic.truth_table())

print("sum", run_integers(ripple_carry_adder({bits}), {s.a}, {s.b}))
"""
