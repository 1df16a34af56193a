from glassnet.inspect.history import History as History
from glassnet.networks.adaline import AdalineClassifier as AdalineClassifier
from glassnet.networks.adaline import AdalineRegressor as AdalineRegressor
from glassnet.networks.alexnet import AlexNet as AlexNet
from glassnet.networks.arithmetic import multiplier as multiplier
from glassnet.networks.arithmetic import ripple_carry_adder as ripple_carry_adder
from glassnet.networks.gpt import GPT as GPT
from glassnet.networks.hopfield import HopfieldNetwork as HopfieldNetwork
from glassnet.networks.integrate_and_fire import IntegrateAndFireNetwork as IntegrateAndFireNetwork
from glassnet.networks.integrate_and_fire import IntegrateAndFireNeuron as IntegrateAndFireNeuron
from glassnet.networks.lenet import LeNet5 as LeNet5
from glassnet.networks.logic import LogicNetwork as LogicNetwork
from glassnet.networks.mcculloch_pitts import McCullochPittsNeuron as McCullochPittsNeuron
from glassnet.networks.mlp import Layer as Layer
from glassnet.networks.mlp import MLPClassifier as MLPClassifier
from glassnet.networks.mlp import MLPRegressor as MLPRegressor
from glassnet.networks.modern_hopfield import ModernHopfieldNetwork as ModernHopfieldNetwork
from glassnet.networks.perceptron import Perceptron as Perceptron
from glassnet.networks.perceptron import mistake_bound as mistake_bound
from glassnet.networks.predicate_order import connectedness as connectedness
from glassnet.networks.predicate_order import predicate_order as predicate_order
from glassnet.networks.resnet import ResNet as ResNet
from glassnet.networks.separability import linear_separability as linear_separability
from glassnet.networks.transformer import Transformer as Transformer
from glassnet.training.loop import advance as advance
from glassnet.training.state import TrainingState as TrainingState

__version__: str
