"""AlexNet and ResNet: a photo through a deep network (2012), and what depth costs without shortcuts (2015).

Two rooms. Photo: filters and maps of a network, for a photo of one's own. Depth: four narrow
networks race on small digits, plain and residual, shallow and deep.

References
----------
A. Krizhevsky, I. Sutskever, G. E. Hinton (2012). ImageNet classification with deep
convolutional neural networks. NIPS 25.
K. He, X. Zhang, S. Ren, J. Sun (2016). Deep residual learning for image recognition. CVPR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.lab.photos import read_photo

if TYPE_CHECKING:
    from glassnet.lab.exhibits.resnet_rooms import Room

MOST_LAYERS, MOST_MAPS, LONGEST_SIDE = 60, 64, 112
RATES: Any = {"choices": [0.01, 0.02, 0.05, 0.1]}  # the usual ones; any within the bounds is allowed


class ResNetSettings(Settings):
    """What a visitor can change."""

    mode: Literal["photo", "depth"] = "photo"
    network: Literal["resnet20", "alexnet", "own"] = "resnet20"
    picture: Literal["flower", "china", "cifar", "own"] = "flower"
    cifar_class: int = Field(0, ge=0, le=9)
    look_layer: int = Field(2, ge=1, le=MOST_LAYERS)
    look_map: int = Field(6, ge=1, le=MOST_MAPS)
    look_row: int = Field(16, ge=1, le=LONGEST_SIDE)
    look_column: int = Field(16, ge=1, le=LONGEST_SIDE)
    shallow: int = Field(20, ge=4, le=32, multiple_of=2)
    deep: int = Field(56, ge=6, le=80, multiple_of=2)
    maps: int = Field(8, ge=2, le=12)
    learning_rate: float = Field(0.05, gt=0, le=1, json_schema_extra=RATES)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _is_deeper(self) -> ResNetSettings:
        if self.deep <= self.shallow:
            raise ValueError(f"The deep networks need more layers than the shallow ones, which have {self.shallow}.")
        return self


class ResNetExhibit(Exhibit):
    """A deep network on a photo, or four networks that race.

    Examples
    --------
    >>> exhibit = ResNetExhibit(ResNetSettings())
    >>> exhibit.frame().arrays["maps1"].shape
    (16, 32, 32)
    """

    Settings = ResNetSettings
    views = frozenset({"network", "picture", "cifar_class", "look_layer", "look_map", "look_row", "look_column"})
    uploads: ClassVar = {"photo": read_photo}
    export = "replay"

    settings: ResNetSettings

    def __init__(self, settings: ResNetSettings, own: np.ndarray | None = None):
        from glassnet.lab.exhibits.resnet_rooms import ROOMS

        super().__init__(settings, own)
        self.room: Room = ROOMS[settings.mode](settings, own)
        self.history: Any = self.room.history

    def scene(self) -> Frame:
        """Return what stays."""
        return self.room.scene()

    def frame(self) -> Frame:
        """Return what changes."""
        return self.room.frame(self.settings)

    def python(self) -> str:
        """Return a script that prints the numbers on screen."""
        return self.room.python(self.settings)
