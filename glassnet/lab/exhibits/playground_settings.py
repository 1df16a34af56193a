"""What a visitor of the playground can change, and the network that it stands for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from glassnet.lab.exhibit import Settings
from glassnet.lab.exhibits.playground_script import INPUTS, SOLVERS
from glassnet.learning.spec import Layer

HALF = 6.0  # half the side of the square that is drawn
MOST_POINTS = 200  # that can be set by hand, and so stand in a link
OWN_POINTS = (2, 2, 1, 3, 2, 1, -2, -2, 1, -3, -2, 1, -2, 2, 0, -3, 2, 0, 2, -2, 0, 3, -2, 0)  # x1, x2, class
MOST_LAYERS, MOST_UNITS = 6, 8
N_GROUPS = 2  # of a layer that is normalized in groups

_Activation = Literal["tanh", "relu", "leaky_relu", "sigmoid", "identity"]
_Norm = Literal["none", "batch", "layer", "group"]
# of one layer; "same" is what all layers have
_LayerActivation = Literal["same", "tanh", "relu", "leaky_relu", "sigmoid", "identity"]
_LayerNorm = Literal["same", "none", "batch", "layer", "group"]
_LayerDropout = Literal["same", "0", "0.1", "0.2", "0.3", "0.5", "0.8"]
_Rival = Literal["none", "logistic", "svm", "neighbours", "tree", "forest", "boosting", "bayes"]


def _choices(*values: float) -> Any:
    """Declare the usual values of a number; any within its bounds is allowed."""
    return {"choices": values}


class PlaygroundSettings(Settings):
    """What a visitor can change, under the Playground's names where it has them."""

    problem: Literal["classification", "regression"] = "classification"
    dataset: Literal["circle", "xor", "gauss", "spiral", "own"] = "circle"
    points: tuple[Annotated[float, Field(ge=-HALF, le=HALF)], ...] = Field(OWN_POINTS, max_length=3 * MOST_POINTS)
    new_point: Literal["positive", "negative", "erase"] = "positive"
    reg_dataset: Literal["reg-plane", "reg-gauss"] = "reg-plane"
    noise: int = Field(0, ge=0, le=50)  # per cent
    perc_train_data: int = Field(50, ge=10, le=90)  # per cent
    seed: int = Field(0, ge=0, le=2**31 - 1)
    network_shape: tuple[Annotated[int, Field(ge=1, le=MOST_UNITS)], ...] = Field((4, 2), max_length=MOST_LAYERS)
    activation: _Activation = "tanh"
    norm: _Norm = "none"
    dropout: float = Field(0.0, ge=0, le=0.9, json_schema_extra=_choices(0, 0.1, 0.2, 0.3, 0.5, 0.8))
    layer_activation: tuple[_LayerActivation, ...] = Field((), max_length=MOST_LAYERS)
    layer_norm: tuple[_LayerNorm, ...] = Field((), max_length=MOST_LAYERS)
    layer_dropout: tuple[_LayerDropout, ...] = Field((), max_length=MOST_LAYERS)
    solver: Literal["sgd", "momentum", "adam"] = "sgd"
    learning_rate: float = Field(
        0.03, gt=0, le=10, json_schema_extra=_choices(0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
    )
    batch_size: int = Field(10, ge=1, le=1200, json_schema_extra=_choices(1, 2, 5, 10, 20, 30, 50, 100, 250))
    alpha: float = Field(0.0, ge=0, le=10, json_schema_extra=_choices(0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10))
    x: bool = True
    y: bool = True
    x_squared: bool = False
    y_squared: bool = False
    x_times_y: bool = False
    sin_x: bool = False
    sin_y: bool = False
    show_test_data: bool = False
    discretize: bool = False
    look: tuple[Annotated[int, Field(ge=1, le=MOST_UNITS)], ...] = Field((), max_length=2)
    weight: tuple[Annotated[int, Field(ge=0, le=MOST_UNITS)], ...] = Field((), max_length=3)
    seeds: int = Field(1, ge=1, le=30, json_schema_extra=_choices(1, 5, 10, 20, 30))
    rival: _Rival = "none"

    @model_validator(mode="after")
    def _can_be_built(self) -> PlaygroundSettings:
        if not self.inputs:
            raise ValueError("The network needs at least one input; switch another one on first.")
        for number, units in enumerate(self.network_shape, 1):
            if self._of_layer(self.layer_norm, number, self.norm) == "group" and units % N_GROUPS:
                raise ValueError(f"Layer {number} has {units} units: two groups need an even number of them.")
        return self

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are switched on."""
        return tuple(name for name in INPUTS if getattr(self, name))

    @property
    def data_name(self) -> str:
        """The data set's name in `glassnet.data.load`."""
        return self.dataset if self.problem == "classification" else self.reg_dataset

    @property
    def is_own(self) -> bool:
        """Whether the points are the visitor's: those set by hand, or the file's where there are none."""
        return self.problem == "classification" and self.dataset == "own"

    @property
    def data_options(self) -> dict[str, Any]:
        """What `glassnet.data.load` is called with."""
        test_size = round(1 - self.perc_train_data / 100, 2)
        return {"noise": self.noise / 100, "test_size": test_size, "random_state": self.seed}

    @property
    def layers(self) -> tuple[int | Layer, ...]:
        """The hidden layers, those without settings of their own as numbers of units."""
        return tuple(self._layer(number, units) for number, units in enumerate(self.network_shape, 1))

    def _layer(self, number: int, units: int) -> int | Layer:
        activation = self._of_layer(self.layer_activation, number, None)
        norm = self._of_layer(self.layer_norm, number, self.norm)
        layer = Layer(
            units, activation, norm=None if norm == "none" else norm, groups=N_GROUPS if norm == "group" else 1,
            dropout=float(self._of_layer(self.layer_dropout, number, self.dropout)),
        )  # fmt: skip
        return layer if layer != Layer(units) else units

    @staticmethod
    def _of_layer(values: tuple[Any, ...], number: int, otherwise: Any) -> Any:
        """Return what a layer has of its own, or else what all have."""
        own = values[number - 1] if number <= len(values) else "same"
        return otherwise if own == "same" else own

    def network_options(self, n_train: int) -> dict[str, Any]:
        """Return what the estimator is made with."""
        return {
            "hidden_layer_sizes": self.layers,
            "activation": self.activation,
            **SOLVERS[self.solver],
            "learning_rate_init": self.learning_rate,
            "alpha": self.alpha,
            "batch_size": min(self.batch_size, n_train),
            "random_state": self.seed,
        }
