"""Neural networks you can see through, from the McCulloch-Pitts neuron to the Transformer.

Public names are loaded when they are first used: ``import glassnet`` itself loads
neither torch nor scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version as _version
from typing import Any

__version__ = _version("glassnet")

# public name -> module that defines it (mirrored for type checkers in __init__.pyi)
_PUBLIC: dict[str, str] = {
    "McCullochPittsNeuron": "glassnet.networks.mcculloch_pitts",
    "LogicNetwork": "glassnet.networks.logic",
    "ripple_carry_adder": "glassnet.networks.arithmetic",
    "multiplier": "glassnet.networks.arithmetic",
    "IntegrateAndFireNeuron": "glassnet.networks.integrate_and_fire",
    "IntegrateAndFireNetwork": "glassnet.networks.integrate_and_fire",
    "linear_separability": "glassnet.networks.separability",
    "predicate_order": "glassnet.networks.predicate_order",
    "connectedness": "glassnet.networks.predicate_order",
    "Perceptron": "glassnet.networks.perceptron",
    "mistake_bound": "glassnet.networks.perceptron",
    "AdalineClassifier": "glassnet.networks.adaline",
    "AdalineRegressor": "glassnet.networks.adaline",
    "PolynomialRegression": "glassnet.estimators.polynomial",
    "MLPClassifier": "glassnet.networks.mlp",
    "MLPRegressor": "glassnet.networks.mlp",
    "Layer": "glassnet.networks.mlp",
    "HopfieldNetwork": "glassnet.networks.hopfield",
    "ModernHopfieldNetwork": "glassnet.networks.modern_hopfield",
    "RBM": "glassnet.networks.rbm",
    "DeepBeliefClassifier": "glassnet.networks.deep_belief",
    "GenerativeBeliefClassifier": "glassnet.networks.generative_belief",
    "LeNet5": "glassnet.networks.lenet",
    "AlexNet": "glassnet.networks.alexnet",
    "ResNet": "glassnet.networks.resnet",
    "Transformer": "glassnet.networks.transformer",
    "GPT": "glassnet.networks.gpt",
    "ModuleClassifier": "glassnet.estimators.module",
    "ModuleRegressor": "glassnet.estimators.module",
    "Translator": "glassnet.estimators.translator",
    "LanguageModel": "glassnet.estimators.language_model",
    "Checkpoint": "glassnet.training.checkpoint",
    "load_trained": "glassnet.training.trained",
    "load_weights": "glassnet.training.weight_files",
    "TrainingState": "glassnet.training.state",
    "advance": "glassnet.training.loop",
    "sweep": "glassnet.training.sweep",
    "History": "glassnet.inspect.history",
    "Trajectory": "glassnet.inspect.trajectory",
    "ResidualBlock": "glassnet.networks.residual_block",
    "Trace": "glassnet.inspect.traced",
    "trace": "glassnet.inspect.trace",
    "describe": "glassnet.inspect.describe",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'glassnet' has no attribute {name!r}")
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
