from glassnet.inspect.history import History as History
from glassnet.networks.alexnet import AlexNet as AlexNet
from glassnet.networks.gpt import GPT as GPT
from glassnet.networks.hopfield import HopfieldNetwork as HopfieldNetwork
from glassnet.networks.lenet import LeNet5 as LeNet5
from glassnet.networks.mlp import Layer as Layer
from glassnet.networks.mlp import MLPClassifier as MLPClassifier
from glassnet.networks.mlp import MLPRegressor as MLPRegressor
from glassnet.networks.modern_hopfield import ModernHopfieldNetwork as ModernHopfieldNetwork
from glassnet.networks.perceptron import Perceptron as Perceptron
from glassnet.networks.resnet import ResNet as ResNet
from glassnet.networks.transformer import Transformer as Transformer
from glassnet.training.loop import advance as advance
from glassnet.training.state import TrainingState as TrainingState

__version__: str
