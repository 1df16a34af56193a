"""AlexNet, the network that won ImageNet (2012).

A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep convolutional neural
networks", NIPS 2012.

Five convolutions and three fully connected layers of rectified linear units, ``h = max(0, z)``; after the
first two convolutions the responses of n = 5 neighbouring maps compete (section 3.3)::

    b_i = a_i / (k + alpha * sum over the n maps j around i of a_j^2)^beta,   k = 2, alpha = 1e-4, beta = 0.75

Pooling windows overlap: 3 x 3, two pixels apart. The two hidden dense layers drop half of their units.

Two forms:

- ``variant="2012"``: the paper's, in which convolutions 2, 4 and 5 run as two groups of maps, one on each of its
  two GPUs; 60,965,224 parameters.
- ``variant="torchvision"``: the one-column form of A. Krizhevsky, "One weird trick for parallelizing convolutional
  neural networks", arXiv:1404.5997, 2014, with torchvision's sizes and parameter names; 61,100,840 parameters.

Where we depart from the papers:

- The paper states 224 x 224 images, which its 55 x 55 maps do not fit: 227 x 227 without padding does, and 224 x 224
  with a padding of 2.
- Dropout scales the kept units up in training; the paper scales all of them down afterwards.
- The torchvision form starts from He et al.'s weights, not from torch's defaults.
"""

from __future__ import annotations

from torch import Tensor, nn

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.dropout import Dropout
from glassnet.learning.response_normalization import LocalResponseNorm


class AlexNet(nn.Module):
    """AlexNet: five convolutional and three fully connected layers.

    Parameters
    ----------
    variant : {"2012", "torchvision"}
        The paper's two-group network, or torchvision's, whose checkpoints load with ``strict=True``.
    n_classes, in_channels : int
        Number of classes and of image channels.
    image_size : {227, 224}
        Side of the images of the 2012 form; 224 brings a padding of 2 in the first layer. The torchvision
        form takes images of 63 x 63 and more and does not use this.
    normalization : bool
        Local response normalization after the first two convolutions of the 2012 form.
    overlapping_pooling : bool
        Pool 3 x 3 windows two pixels apart; False pools 2 x 2 windows of the 2012 form.
    dropout : float
        Probability in [0, 1) with which a unit of the two hidden dense layers is dropped in training.

    Attributes
    ----------
    features, avgpool, classifier : Module
        Convolutional part, torchvision's adaptive pooling (nothing in the 2012 form), dense part.

    Raises
    ------
    UnknownNameError, InvalidInputError
        If the variant or the image size is another.

    References
    ----------
    A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet classification with deep convolutional neural
    networks", NIPS 2012.

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):  # shapes only: neither memory nor time
    ...     model = AlexNet("2012")
    ...     scores = model(torch.empty(8, 3, 227, 227))
    >>> scores.shape, sum(p.numel() for p in model.parameters())
    (torch.Size([8, 1000]), 60965224)
    """

    def __init__(
        self,
        variant: str = "2012",
        n_classes: int = 1000,
        in_channels: int = 3,
        image_size: int = 227,
        normalization: bool = True,
        overlapping_pooling: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if variant not in ("2012", "torchvision"):
            raise UnknownNameError("variant of AlexNet", variant, ("2012", "torchvision"))
        if image_size not in (227, 224):
            raise InvalidInputError(f"image_size must be 227 or 224, got {image_size!r}.")
        self.variant, self.in_channels, self.image_size = variant, in_channels, image_size
        if variant == "2012":
            self.features = _features_2012(in_channels, image_size, normalization, overlapping_pooling)
            self.avgpool = nn.Identity()
            self.classifier = _classifier_2012(n_classes, dropout)
        else:
            self.features = _features_torchvision(in_channels)
            self.avgpool = nn.AdaptiveAvgPool2d(6)
            self.classifier = _classifier_torchvision(n_classes, dropout)
        self.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of the classes.

        Parameters
        ----------
        x : Tensor of shape (batch, in_channels, image_size, image_size)

        Returns
        -------
        Tensor of shape (batch, n_classes)

        Raises
        ------
        InvalidInputError
            If the images have another size.
        """
        self._check_images(x)
        h = self.avgpool(self.features(x))  # (batch, 256, 6, 6)
        return self.classifier(h.flatten(1))

    def _check_images(self, x: Tensor) -> None:
        exact = self.variant == "2012"
        side = self.image_size if exact else 63
        fits = x.ndim == 4 and (tuple(x.shape[2:]) == (side, side) if exact else min(x.shape[2:]) >= side)
        if not fits or x.shape[1] != self.in_channels:
            wanted = f"(batch, {self.in_channels}, {side}, {side})" + ("" if exact else " or larger")
            raise InvalidInputError(f"AlexNet takes images of shape {wanted}, got {tuple(x.shape)}.")

    def reset_parameters(self) -> None:
        """Draw all weights anew: N(0, 0.01^2) with some biases at one (2012), or as He et al. (torchvision)."""
        layers = [layer for layer in self.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
        for i, layer in enumerate(layers):
            if self.variant == "2012":
                nn.init.normal_(layer.weight, std=0.01)
            else:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            assert layer.bias is not None
            # the paper: convolutions 2, 4, 5 and the hidden dense layers, which so start with positive inputs
            nn.init.constant_(layer.bias, float(self.variant == "2012" and i in (1, 3, 4, 5, 6)))


def _features_2012(in_channels: int, image_size: int, normalization: bool, overlapping_pooling: bool) -> nn.Sequential:
    """Return the paper's convolutional part: (batch, in_channels, 227, 227) to (batch, 256, 6, 6)."""

    def pool() -> nn.Module:
        return nn.MaxPool2d(3 if overlapping_pooling else 2, stride=2)

    def normalize() -> nn.Module:
        return LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2.0) if normalization else nn.Identity()

    return nn.Sequential(
        *(nn.Conv2d(in_channels, 96, 11, stride=4, padding=2 if image_size == 224 else 0), nn.ReLU()),  # 55 x 55
        *(normalize(), pool()),  # 27 x 27
        *(nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU()),
        *(normalize(), pool()),  # 13 x 13
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(), pool()),  # 6 x 6
    )


def _classifier_2012(n_classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Linear(256 * 6 * 6, 4096), nn.ReLU(), Dropout(dropout)),
        *(nn.Linear(4096, 4096), nn.ReLU(), Dropout(dropout)),
        nn.Linear(4096, n_classes),
    )


def _features_torchvision(in_channels: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(in_channels, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
    )


def _classifier_torchvision(n_classes: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        *(Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU()),
        *(Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU()),
        nn.Linear(4096, n_classes),
    )
