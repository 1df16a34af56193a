"""Plain tables of names: what exists in glassnet and where its code lives.

Every table maps a public name to a ``"module:object"`` string, so that reading a table
imports nothing. The command line, the lab, the docs and the tests read these tables;
nothing is registered anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from glassnet.errors import UnknownNameError

# estimators that `glassnet train NETWORK` can fit
NETWORKS: dict[str, str] = {
    "perceptron": "glassnet.networks.perceptron:Perceptron",
    "adaline": "glassnet.networks.adaline:AdalineClassifier",
    "adaline-regressor": "glassnet.networks.adaline:AdalineRegressor",
    "mlp": "glassnet.networks.mlp:MLPClassifier",
    "mlp-regressor": "glassnet.networks.mlp:MLPRegressor",
    "hopfield": "glassnet.networks.hopfield:HopfieldNetwork",
    "rbm": "glassnet.networks.rbm:RBM",
    "dbn": "glassnet.networks.deep_belief:DeepBeliefClassifier",
    "dbn-generative": "glassnet.networks.generative_belief:GenerativeBeliefClassifier",
}

# callables with keyword options (n_classes=...) that return a torch module
MODULES: dict[str, str] = {
    "lenet5": "glassnet.networks.lenet:LeNet5",
    "alexnet": "glassnet.networks.alexnet:AlexNet",
    "resnet20": "glassnet.networks.resnet:resnet20",
    "resnet32": "glassnet.networks.resnet:resnet32",
    "resnet44": "glassnet.networks.resnet:resnet44",
    "resnet56": "glassnet.networks.resnet:resnet56",
    "resnet110": "glassnet.networks.resnet:resnet110",
    "resnet18": "glassnet.networks.resnet:resnet18",
    "resnet34": "glassnet.networks.resnet:resnet34",
    "resnet50": "glassnet.networks.resnet:resnet50",
    "resnet101": "glassnet.networks.resnet:resnet101",
    "resnet152": "glassnet.networks.resnet:resnet152",
}

# estimators of any module; `glassnet train` makes the first of them for a name of MODULES
MODULE_ESTIMATORS: dict[str, str] = {
    "module": "glassnet.estimators.module:ModuleClassifier",
    "module-regressor": "glassnet.estimators.module:ModuleRegressor",
}

# modules that a command of their own trains; estimators of modules know them by name, too
EXPERIMENTS: dict[str, str] = {
    "pronoun-reader": "glassnet.networks.pronoun_reader:PronounReader",
}

# callables with keyword options (n_tokens=...) that return a torch module of token sequences
TEXT_MODULES: dict[str, str] = {
    "transformer": "glassnet.networks.transformer:Transformer",
    "gpt": "glassnet.networks.gpt:GPT",
}

# estimators of texts, one for each of TEXT_MODULES; `glassnet train` fits them
TEXT_ESTIMATORS: dict[str, str] = {
    "transformer": "glassnet.estimators.translator:Translator",
    "gpt": "glassnet.estimators.language_model:LanguageModel",
}

# functions without required arguments that return a glassnet.data.Dataset
DATA: dict[str, str] = {
    "gate-and": "glassnet.data.gates:load_and",
    "gate-or": "glassnet.data.gates:load_or",
    "gate-not": "glassnet.data.gates:load_not",
    "gate-xor": "glassnet.data.gates:load_xor",
    "lines": "glassnet.data.lines:load_lines",
    "circle": "glassnet.data.toy:load_circle",
    "xor": "glassnet.data.toy:load_xor",
    "gauss": "glassnet.data.toy:load_gauss",
    "spiral": "glassnet.data.toy:load_spiral",
    "reg-plane": "glassnet.data.toy:load_reg_plane",
    "reg-gauss": "glassnet.data.toy:load_reg_gauss",
    "digits": "glassnet.data.digits:load_digits",
    "mnist5k": "glassnet.data.digits:load_mnist5k",
    "mnist": "glassnet.data.images:load_mnist",
    "cifar10": "glassnet.data.pictures:load_cifar10",
}

# functions of two languages that return glassnet.data.text.SentencePairs
PAIRS: dict[str, str] = {
    "multi30k": "glassnet.data.text:load_multi30k",
}

# displays of numbers that `glassnet.plots` draws
PLOTS: dict[str, str] = {
    "activation-functions": "glassnet.plots.activation_functions:ActivationDisplay",
    "activation-histogram": "glassnet.plots.activation_histogram:ActivationHistogramDisplay",
    "architecture": "glassnet.plots.architecture:ArchitectureDisplay",
    "block-diagram": "glassnet.plots.block_diagram:BlockDiagramDisplay",
    "attention": "glassnet.plots.attention:AttentionDisplay",
    "class-probabilities": "glassnet.plots.class_probabilities:ClassProbabilitiesDisplay",
    "confusion-matrix": "glassnet.plots.confusion_matrix:ConfusionMatrixDisplay",
    "decision-boundary": "glassnet.plots.decision_boundary:DecisionBoundaryDisplay",
    "equation": "glassnet.plots.equation:EquationDisplay",
    "embedding": "glassnet.plots.embedding:EmbeddingDisplay",
    "energy": "glassnet.plots.energy:EnergyDisplay",
    "feature-maps": "glassnet.plots.feature_maps:FeatureMapsDisplay",
    "filters": "glassnet.plots.filters:FiltersDisplay",
    "gates": "glassnet.plots.gates_panel:GatesDisplay",
    "gradient-flow": "glassnet.plots.gradient_flow:GradientFlowDisplay",
    "layer-tensors": "glassnet.plots.layer_tensors:LayerTensorsDisplay",
    "layer-table": "glassnet.plots.layer_table:LayerTableDisplay",
    "loss-surface": "glassnet.plots.loss_surface:LossSurfaceDisplay",
    "mapping-1d": "glassnet.plots.mapping_1d:Mapping1DDisplay",
    "mapping-2d": "glassnet.plots.mapping_2d:Mapping2DDisplay",
    "module-graph": "glassnet.plots.module_graph:ModuleGraphDisplay",
    "neuron": "glassnet.plots.neuron_diagram:NeuronDisplay",
    "pictures": "glassnet.plots.pictures:PicturesDisplay",
    "recall-curve": "glassnet.plots.recall_curve:RecallCurveDisplay",
    "signal": "glassnet.plots.signal:SignalDisplay",
    "training-curves": "glassnet.plots.training_curves:TrainingCurvesDisplay",
    "weight-matrix": "glassnet.plots.weight_matrix:WeightMatrixDisplay",
    "wiring": "glassnet.plots.wiring:WiringDisplay",
}

# classes of the lab's exhibits
EXHIBITS: dict[str, str] = {
    "neuron": "glassnet.lab.exhibits.neuron:NeuronExhibit",
    "playground": "glassnet.lab.exhibits.playground:Playground",
    "perceptron": "glassnet.lab.exhibits.perceptron:PerceptronExhibit",
    "adaline": "glassnet.lab.exhibits.adaline:AdalineExhibit",
    "layers": "glassnet.lab.exhibits.layers:LayersExhibit",
    "loss": "glassnet.lab.exhibits.loss:LossExhibit",
    "ridge": "glassnet.lab.exhibits.ridge:RidgeExhibit",
    "lenet": "glassnet.lab.exhibits.lenet:LeNetExhibit",
    "activations": "glassnet.lab.exhibits.activations:ActivationsExhibit",
    "descent": "glassnet.lab.exhibits.descent:DescentExhibit",
    "hopfield": "glassnet.lab.exhibits.hopfield:HopfieldExhibit",
    "dbn": "glassnet.lab.exhibits.dbn:DbnExhibit",
    "resnet": "glassnet.lab.exhibits.resnet:ResNetExhibit",
    "anyfunction": "glassnet.lab.exhibits.anyfunction:AnyFunctionExhibit",
    "connections": "glassnet.lab.exhibits.connections:ConnectionsExhibit",
    "overfit": "glassnet.lab.exhibits.overfit:OverfitExhibit",
    "normalization": "glassnet.lab.exhibits.normalization:NormalizationExhibit",
    "model": "glassnet.lab.exhibits.model:ModelExhibit",
    "transformer": "glassnet.lab.exhibits.transformer:TransformerExhibit",
    "representations": "glassnet.lab.exhibits.representations:RepresentationsExhibit",
}

# experiments: a function of a glassnet.claims.claim.Scale that returns a Claim
CLAIMS: dict[str, str] = {
    "boolean-functions": "glassnet.claims.boolean_functions:boolean_functions",
    "lecture-weights": "glassnet.claims.lecture_weights:lecture_weights",
    "perceptron-bound": "glassnet.claims.perceptron_bound:perceptron_bound",
    "xor-never": "glassnet.claims.xor_never:xor_never",
    "order-grows": "glassnet.claims.order_grows:order_grows",
    "lms-limit": "glassnet.claims.lms_limit:lms_limit",
    "xor-two-layers": "glassnet.claims.xor_two_layers:xor_two_layers",
    "hopfield-memory": "glassnet.claims.hopfield_memory:hopfield_memory",
    "hopfield-optimizes": "glassnet.claims.hopfield_optimizes:hopfield_optimizes",
    "vanishing-gradients": "glassnet.claims.vanishing_gradients:vanishing_gradients",
    "pretraining": "glassnet.claims.pretraining:pretraining",
    "dbn-digits": "glassnet.claims.dbn_digits:dbn_digits",
    "off-centre-sigmoid": "glassnet.claims.off_centre_sigmoid:off_centre_sigmoid",
    "relu-faster": "glassnet.claims.relu_faster:relu_faster",
    "gradient-noise": "glassnet.claims.gradient_noise:gradient_noise",
    "step-gradient": "glassnet.claims.step_gradient:step_gradient",
    "bumps": "glassnet.claims.bumps:bumps",
    "sawtooth": "glassnet.claims.sawtooth:sawtooth",
    "identity-depth": "glassnet.claims.identity_depth:identity_depth",
    "cross-entropy": "glassnet.claims.cross_entropy:cross_entropy",
    "batch-of-n": "glassnet.claims.batch_of_n:batch_of_n",
    "random-labels": "glassnet.claims.random_labels:random_labels",
    "overfitting": "glassnet.claims.overfitting:overfitting",
    "ridge": "glassnet.claims.ridge:ridge",
    "normalization": "glassnet.claims.normalization:normalization",
    "local-connections": "glassnet.claims.local_connections:local_connections",
    "svm-or-mlp": "glassnet.claims.svm_or_mlp:svm_or_mlp",
    "lenet-digits": "glassnet.claims.lenet_digits:lenet_digits",
    "alexnet-layers": "glassnet.claims.alexnet_layers:alexnet_layers",
    "alexnet-parts": "glassnet.claims.alexnet_parts:alexnet_parts",
    "resnet-pictures": "glassnet.claims.resnet_pictures:resnet_pictures",
    "plain-residual": "glassnet.claims.plain_residual:plain_residual",
    "more-data": "glassnet.claims.more_data:more_data",
    "layers-separate": "glassnet.claims.layers_separate:layers_separate",
    "scaled-scores": "glassnet.claims.scaled_scores:scaled_scores",
    "antecedent": "glassnet.claims.antecedent:antecedent",
    "translation": "glassnet.claims.translation:translation",
}


def resolve(table: Mapping[str, str], kind: str, name: str) -> Any:
    """Import and return the object that ``name`` stands for in ``table``.

    Raises
    ------
    UnknownNameError
        If the table has no such name; the message lists those it has.
    """
    if name not in table:
        raise UnknownNameError(kind, name, table)
    module, _, attribute = table[name].partition(":")
    return getattr(import_module(module), attribute)
