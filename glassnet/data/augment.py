"""Augmentation: pictures changed at random while a network learns, batch by batch.

Each change is a callable ``(images, generator) -> images`` on float tensors of shape
(n, channels, height, width); all randomness comes from the generator, which the engine puts
to the start of a stream before every step. ``AUGMENTATIONS`` has some by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from glassnet.errors import InvalidInputError, UnknownNameError

Augmentation = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class PadCrop:
    """Move each picture by up to ``padding`` pixels each way: pad it with zeros and cut it out again.

    Parameters
    ----------
    padding : int or None, default=None
        None: an eighth of the shorter side, rounded up: the 4 pixels of the paper for its 32 x 32.

    References
    ----------
    K. He et al. (2016). Deep residual learning for image recognition, section 4.2.

    Examples
    --------
    >>> PadCrop(1)(torch.ones(2, 3, 4, 5), torch.Generator()).shape
    torch.Size([2, 3, 4, 5])
    """

    padding: int | None = None

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        n, _, height, width = images.shape
        padding = -(-min(height, width) // 8) if self.padding is None else self.padding
        wide = F.pad(images, 4 * (padding,))
        windows = wide.unfold(2, height, 1).unfold(3, width, 1)  # (n, C, places, places, H, W), a view
        top, left = torch.randint(2 * padding + 1, (2, n), generator=generator)
        return windows[torch.arange(n), :, top, left]


@dataclass(frozen=True)
class Flip:
    """Mirror each picture left to right with this probability.

    Examples
    --------
    >>> Flip(1.0)(torch.tensor([[[[1.0, 2.0]]]]), torch.Generator()).tolist()
    [[[[2.0, 1.0]]]]
    """

    probability: float = 0.5

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < self.probability
        return torch.where(mirrored, images.flip(3), images)


@dataclass(frozen=True)
class Affine:
    """Shift, scale, squeeze, shear and turn each picture: the distortions of LeNet-5's paper, and rotation.

    Every value is the largest; each picture's is uniform between it and its opposite.

    Parameters
    ----------
    shift : float
        In parts of the picture's side.
    scale, squeeze : float
        Of both sides alike; of one against the other.
    shear : float
        Horizontal, as a slope.
    degrees : float
        Of rotation.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to
    document recognition, section III-A (which gives no sizes).

    Examples
    --------
    >>> still = Affine(0, 0, 0, 0, 0)
    >>> bool(torch.allclose(still(torch.eye(4)[None, None], torch.Generator()), torch.eye(4), atol=1e-6))
    True
    """

    shift: float = 0.07
    scale: float = 0.1
    squeeze: float = 0.1
    shear: float = 0.2
    degrees: float = 8.0

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        grid = F.affine_grid(self._matrices(len(images), generator), list(images.shape), align_corners=False)
        return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)

    def _matrices(self, n: int, generator: torch.Generator) -> Tensor:
        """Return what takes places in the new picture to places in the old one, shape (n, 2, 3)."""
        r = 2 * torch.rand(6, n, generator=generator) - 1
        angle = r[0] * math.radians(self.degrees)
        width = torch.exp(self.scale * r[1] + 0.5 * self.squeeze * r[2])
        height = torch.exp(self.scale * r[1] - 0.5 * self.squeeze * r[2])
        slope, cos, sin = self.shear * r[3], angle.cos(), angle.sin()
        x_row = torch.stack([cos * width, (slope * cos - sin) * height, 2 * self.shift * r[4]], 1)
        y_row = torch.stack([sin * width, (slope * sin + cos) * height, 2 * self.shift * r[5]], 1)
        return torch.stack([x_row, y_row], 1)


@dataclass(frozen=True)
class Brightness:
    """Multiply each picture by 1 +- ``contrast`` and add +- ``brightness`` of it, drawn uniformly."""

    brightness: float = 0.2
    contrast: float = 0.2

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        r = 2 * torch.rand(2, len(images), 1, 1, 1, generator=generator) - 1
        return images * (1 + self.contrast * r[0]) + self.brightness * r[1]


@dataclass(frozen=True)
class Chain:
    """Several augmentations, one after the other."""

    parts: tuple[Augmentation, ...]

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        for part in self.parts:
            images = part(images, generator)
        return images


AUGMENTATIONS: dict[str, Augmentation] = {
    "crop": PadCrop(),
    "flip": Flip(),
    "crop-flip": Chain((PadCrop(), Flip())),
    "crop-flip-brightness": Chain((PadCrop(), Flip(), Brightness())),
    "distort": Affine(),
}


def as_augmentation(given: Any) -> Augmentation | None:
    """Return one callable for a name of `AUGMENTATIONS`, a callable, a sequence of these, or None.

    Raises
    ------
    UnknownNameError, InvalidInputError
        If the name is another, or ``given`` is of another kind.

    Examples
    --------
    >>> as_augmentation(["crop", Flip()])
    Chain(parts=(PadCrop(padding=None), Flip(probability=0.5)))
    """
    if isinstance(given, str):
        if given not in AUGMENTATIONS:
            raise UnknownNameError("augmentation", given, AUGMENTATIONS)
        return AUGMENTATIONS[given]
    if given is None or callable(given):
        return given  # type: ignore[return-value]
    if isinstance(given, Sequence):
        return Chain(tuple(part for part in map(as_augmentation, given) if part is not None))
    raise InvalidInputError(
        f"augment is a name ({', '.join(AUGMENTATIONS)}), a callable (images, generator) -> images, "
        f"or a list of these; got {given!r}."
    )
