"""LeNet-5, the convolutional network that read bank cheques (1998).

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86(11), 2278-2324, 1998; section II, equations 5-9.

A unit of map k sees a 5 x 5 field of some maps below, and all units of a map share their weights::

    a_k = b_k + sum over the connected maps m of (w_km * x_m)        convolution: c1, c3, c5
    a_k = b_k + w_k (sum of the four inputs of a 2 x 2 field)        trainable sub-sampling: s2, s4
    h   = A tanh(S a),  A = 1.7159, S = 2/3                          squashing, up to f6
    y_i = sum_j (h_j - c_ij)^2                                       output: distance to the code of class i

``variant="modern"`` is the form in which the network is taught today: c3 connected to all maps,
max-pooling, ReLU, and a linear output for cross-entropy.

Where we depart from the paper:

- `LeNet5.forward` returns scores, ``-y``, so that the largest wins as in every other network; the
  layer ``output`` gives the paper's distances ``y``.
- The 7 x 12 bitmaps of the output codes are drawn anew in the paper's spirit (stylised characters,
  similar ones with similar codes); they are not the paper's own. The codes never train.
- Images are padded from 28 x 28 to 32 x 32 here, not in the data.
- The paper trains with a stochastic diagonal Levenberg-Marquardt method; any optimizer serves here.
- The modern form starts from He et al.'s weights, not from the paper's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.max_pooling import MaxPool2d

# the maps of s2 that each of the sixteen maps of c3 sees (the paper's Table I): six see three
# neighbours, six see four, three see four with a gap, and the last sees all
C3_CONNECTIONS: tuple[tuple[int, ...], ...] = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)

# one 7 x 12 character for each digit, side by side
DIGIT_BITMAPS = """
..###.. ...#... .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
.##.##. ..##... ##...## ##...## ...###. ##..... .##..## ##...## ##...## ##...##
##...## .###... ##...## .....## ...###. ##..... ##..... .....## ##...## ##...##
##...## ...#... .....## .....## ..####. ##..... ##..... ....##. ##...## ##...##
##...## ...#... .....## .....## ..#.##. ##..... ##..... ....##. ##...## ##...##
##...## ...#... ....##. ..####. .##.##. ######. ######. ...##.. .#####. .######
##...## ...#... ...##.. ..####. ##..##. .....## ##...## ...##.. .#####. .....##
##...## ...#... ..##... .....## ####### .....## ##...## ..##... ##...## .....##
##...## ...#... .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
##...## ...#... ##..... .....## ....##. .....## ##...## .##.... ##...## .....##
.##.##. ...#... ##..... ##...## ....##. ##...## ##...## .##.... ##...## ##..##.
..###.. .#####. ####### .#####. ....##. .#####. .#####. .##.... .#####. .####..
"""


def squash(a: Tensor) -> Tensor:
    """Return the paper's squashing function ``1.7159 tanh(2/3 a)``, of any shape; squash(+-1) = +-1.

    Examples
    --------
    >>> squash(torch.tensor([-1.0, 0.0, 1.0])).round(decimals=3).tolist()
    [-1.0, 0.0, 1.0]
    """
    return 1.7159 * torch.tanh(2 / 3 * a)


def digit_codes() -> Tensor:
    """Return the output codes of the ten digits, shape (10, 84): +1 where the bitmap is black, -1 elsewhere."""
    rows = [line.split() for line in DIGIT_BITMAPS.split("\n") if line]
    characters = ["".join(row[digit] for row in rows) for digit in range(10)]
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for pixel in c] for c in characters])


class PartialConv2d(nn.Module):
    """A convolution in which each output map sees only some input maps.

    Parameters
    ----------
    connections : sequence of sequences of int
        For each output map the input maps that it sees.
    in_channels, kernel_size : int
        Number of input maps; side of the square field.

    Attributes
    ----------
    weight : Parameter of shape (number of connections, kernel_size, kernel_size)
        One field per connection, in the order of `connections`; none for the others.
    bias : Parameter of shape (len(connections),)
    """

    def __init__(self, connections: Sequence[Sequence[int]], in_channels: int, kernel_size: int):
        super().__init__()
        pairs = [(k, m) for k, maps in enumerate(connections) for m in maps]
        self.dense_shape = (len(connections), in_channels, kernel_size, kernel_size)
        self.weight = nn.Parameter(torch.empty(len(pairs), kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(len(connections)))
        self.register_buffer("pairs", torch.tensor(pairs).T.contiguous(), persistent=False)

    def dense_weight(self) -> Tensor:
        """Return the weight with zeros for the absent connections, shape (out, in, kernel_size, kernel_size)."""
        k, m = self.get_buffer("pairs")
        return self.weight.new_zeros(self.dense_shape).index_put((k, m), self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, H, W) to (batch, out, H - kernel_size + 1, W - kernel_size + 1)."""
        return F.conv2d(x, self.dense_weight(), self.bias)


class WindowConv2d(nn.Conv2d):
    """A convolution that is one matrix product where the image is a single window, which is faster."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (batch, in_channels, H, W) to (batch, out_channels, H - kernel_size + 1, W - kernel_size + 1)."""
        if tuple(input.shape[-2:]) != self.kernel_size:
            return super().forward(input)
        return F.linear(input.flatten(1), self.weight.flatten(1), self.bias)[..., None, None]


class Subsampling(nn.Module):
    """Halve each map: the sum of a 2 x 2 field, times a trainable weight, plus a bias, squashed."""

    def __init__(self, channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, H, W) to (batch, channels, H // 2, W // 2)."""
        total = 4 * F.avg_pool2d(x, 2)  # a divisor of 1 would be lost in an ONNX file
        return squash(self.weight[:, None, None] * total + self.bias[:, None, None])


class RBFOutput(nn.Module):
    """Squared distance of the features to a fixed code of +-1 for each class (equation 7).

    The first ten classes have the bitmaps of the digits as codes; further ones have random codes,
    which the paper names as the alternative.
    """

    def __init__(self, n_classes: int):
        super().__init__()
        drawn = digit_codes()[:n_classes]
        random = torch.randint(2, (n_classes - len(drawn), drawn.shape[1])) * 2.0 - 1.0
        self.register_buffer("codes", torch.cat([drawn, random]))

    def forward(self, h: Tensor) -> Tensor:
        """Map features (..., 84) to distances (..., n_classes), each in [0, inf)."""
        return (h.unsqueeze(-2) - self.get_buffer("codes")).square().sum(-1)


class LeNet5(nn.Module):
    """LeNet-5 for 28 x 28 or 32 x 32 images.

    Parameters
    ----------
    variant : {"1998", "modern"}
        The paper's network (60,000 parameters), or the form taught today (61,706).
    n_classes, in_channels : int
        Number of classes and of image channels.
    background : float
        Value of an empty pixel, with which 28 x 28 images are padded to 32 x 32. The paper scales
        pixels to [-0.1, 1.175], background -0.1.

    Attributes
    ----------
    c1, s2, c3, s4, c5, f6, output : Module
        The paper's layers. Activation functions that follow ``c1 c3 c5 f6`` are no layers of their own.

    Raises
    ------
    UnknownNameError
        If the variant is another.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
    recognition", Proceedings of the IEEE 86(11), 1998.

    Examples
    --------
    >>> model = LeNet5("1998")
    >>> model(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    >>> model.slide(torch.zeros(2, 1, 32, 60)).shape  # eight windows, four pixels apart
    torch.Size([2, 1, 8, 10])
    """

    def __init__(
        self, variant: str = "modern", n_classes: int = 10, in_channels: int = 1, background: float = 0.0
    ) -> None:
        super().__init__()
        if variant not in ("1998", "modern"):
            raise UnknownNameError("variant of LeNet-5", variant, ("1998", "modern"))
        historic = variant == "1998"
        self.variant, self.in_channels, self.background = variant, in_channels, background
        self.activation = squash if historic else F.relu
        self.c1 = nn.Conv2d(in_channels, 6, 5)
        self.s2 = Subsampling(6) if historic else MaxPool2d(2)
        self.c3 = PartialConv2d(C3_CONNECTIONS, 6, 5) if historic else nn.Conv2d(6, 16, 5)
        self.s4 = Subsampling(16) if historic else MaxPool2d(2)
        self.c5 = WindowConv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.output = RBFOutput(n_classes) if historic else nn.Linear(84, n_classes)
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Return the score of each class, the largest for the most likely.

        Parameters
        ----------
        x : Tensor of shape (batch, in_channels, 28, 28) or (batch, in_channels, 32, 32)

        Returns
        -------
        Tensor of shape (batch, n_classes)
            Minus the distances to the codes (1998), or logits (modern).

        Raises
        ------
        InvalidInputError
            If the images have another size; `slide` takes larger ones.
        """
        size = self.in_channels
        if x.ndim != 4 or tuple(x.shape[1:]) not in ((size, 28, 28), (size, 32, 32)):
            raise InvalidInputError(
                f"LeNet5 takes images of shape (batch, {size}, 28, 28) or (batch, {size}, 32, 32), "
                f"got {tuple(x.shape)}; slide() takes larger ones."
            )
        return self.slide(x)[:, 0, 0]

    def slide(self, x: Tensor) -> Tensor:
        """Return the scores at every position of a larger image, such as a strip of digits.

        The whole network is one convolution: this costs far less than cutting the windows out, and
        gives what `forward` gives for each 32 x 32 window, the windows being four pixels apart.

        Parameters
        ----------
        x : Tensor of shape (batch, in_channels, H, W)
            H and W at least 32; images 28 high are padded by two pixels on all sides first.

        Returns
        -------
        Tensor of shape (batch, (H - 32) // 4 + 1, (W - 32) // 4 + 1, n_classes)
        """
        if x.shape[-2] == 28:
            x = F.pad(x, (2, 2, 2, 2), value=self.background)
        if min(x.shape[-2:]) < 32:
            raise InvalidInputError(f"slide() takes images of at least 28 x 28, got {tuple(x.shape)}.")
        h = self.s2(self.activation(self.c1(x)))  # (batch, 6, 14, 14) for one window
        h = self.s4(self.activation(self.c3(h)))  # (batch, 16, 5, 5)
        h = self.activation(self.c5(h))  # (batch, 120, 1, 1)
        h = self.activation(self.f6(h.permute(0, 2, 3, 1)))  # (batch, 1, 1, 84)
        y = self.output(h)  # (batch, 1, 1, n_classes)
        return -y if self.variant == "1998" else y

    def reset_parameters(self) -> None:
        """Draw all weights anew: uniform in +-2.4 / fan-in, biases too (1998), or as He et al. (modern)."""
        for layer in self.children():
            if self.variant == "1998":
                _draw_uniform(layer)
            elif isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


@torch.no_grad()
def _draw_uniform(layer: nn.Module) -> None:
    """Fill each unit's weights and bias from +-2.4 / (its number of inputs)."""
    if isinstance(layer, PartialConv2d):
        k, _ = layer.get_buffer("pairs")
        fan_in = k.bincount() * layer.weight[0].numel()  # (maps,)
        _fill(layer.weight, 2.4 / fan_in[k][:, None, None])
        _fill(layer.bias, 2.4 / fan_in)
    elif isinstance(layer, (nn.Conv2d, nn.Linear, Subsampling)):
        fan_in = 4 if isinstance(layer, Subsampling) else layer.weight[0].numel()
        for parameter in layer.parameters():
            _fill(parameter, torch.tensor(2.4 / fan_in))


def _fill(parameter: Tensor, bound: Tensor) -> None:
    parameter.copy_((2 * torch.rand_like(parameter) - 1) * bound)


def mse_criterion(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean distance of the features to the code of the right class (equation 8).

    Parameters
    ----------
    scores : Tensor of shape (batch, n_classes)
        What ``LeNet5("1998")`` returns: minus the distances.
    targets : Tensor of int64 of shape (batch,)

    Returns
    -------
    Tensor of shape ()
        In [0, inf).
    """
    return -scores.gather(1, targets[:, None]).mean()


def map_criterion(scores: Tensor, targets: Tensor, rubbish: float = 0.1) -> Tensor:
    """Return the discriminative loss, which also pushes the wrong classes away (equation 9).

    The mean of ``y_right + log(exp(-rubbish) + sum_i exp(-y_i))``: cross-entropy with one more class,
    "none of these", whose distance is always `rubbish`.

    Parameters
    ----------
    scores : Tensor of shape (batch, n_classes)
        What ``LeNet5("1998")`` returns: minus the distances y.
    targets : Tensor of int64 of shape (batch,)
    rubbish : float
        The paper's positive constant j, to which it gives no value. Classes much farther than this are
        not pushed any further.

    Returns
    -------
    Tensor of shape ()
        In [0, inf).

    Raises
    ------
    InvalidInputError
        If `rubbish` is not positive.

    Examples
    --------
    >>> map_criterion(torch.tensor([[-2.0, -3.0]]), torch.tensor([0]), rubbish=1.0).round(decimals=4)
    tensor(1.4076)
    """
    if not rubbish > 0:
        raise InvalidInputError(f"rubbish is a distance and must be positive, got {rubbish!r}.")
    none_of_these = scores.new_full((len(scores), 1), -rubbish)
    return F.cross_entropy(torch.cat([scores, none_of_these], dim=1), targets)
