"""Photos for the lab: a visitor's own, two that come with scikit-learn, and CIFAR-10's where it is at hand."""

from __future__ import annotations

import zipfile
from functools import lru_cache

import numpy as np

from glassnet.data.home import data_home
from glassnet.data.images import open_picture
from glassnet.errors import DataNotFoundError
from glassnet.lab.uploads import picture_file

LONGEST = 512  # pixels of a photo's longer side: more is not kept
CIFAR_ZIP = "cifar10-images.zip"


def read_photo(data: bytes) -> np.ndarray:
    """Read a photo upright and in colour, and scale it down where it is large.

    Parameters
    ----------
    data : bytes
        PNG, JPEG or whatever Pillow decodes.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        At most 512 x 512.

    Raises
    ------
    InvalidInputError
        If it is no picture, or has too many pixels.
    """
    with picture_file(data) as (file, _):
        photo = open_picture(file, "the file").convert("RGB")
    photo.thumbnail((LONGEST, LONGEST))
    return np.asarray(photo, np.uint8)


def sample_photo(name: str) -> np.ndarray:
    """Return a photo that comes with scikit-learn, "china" or "flower": uint8 of shape (427, 640, 3)."""
    from sklearn.datasets import load_sample_image

    return load_sample_image(f"{name}.jpg")


@lru_cache(maxsize=1)
def cifar_photos() -> np.ndarray:
    """Return the first test photo of each of CIFAR-10's classes, uint8 of shape (10, 32, 32, 3).

    Raises
    ------
    DataNotFoundError
        If ``cifar10-images.zip`` is not in the data home.
    """
    place = data_home() / CIFAR_ZIP
    if not place.is_file():
        raise DataNotFoundError(f"CIFAR-10's photos are not here: put {CIFAR_ZIP} into {data_home()}.")
    with zipfile.ZipFile(place) as store:
        first: dict[str, str] = {}
        for name in sorted(name for name in store.namelist() if name.endswith(".jpg")):
            *_, part, label, _ = ("", *name.split("/"))
            if part == "test":
                first.setdefault(label, name)
        return np.stack([read_photo(store.read(first[label])) for label in sorted(first)])


def fit_photo(photo: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the middle of a photo, scaled to (height, width): float32 of shape (3, height, width) in [0, 1].

    Examples
    --------
    >>> fit_photo(np.full((4, 6, 3), 51, np.uint8), (2, 2))[0]
    array([[0.2, 0.2],
           [0.2, 0.2]], dtype=float32)
    """
    from PIL import Image, ImageOps

    height, width = size
    fitted = ImageOps.fit(Image.fromarray(photo), (width, height))
    return (np.asarray(fitted, np.float32) / np.float32(255)).transpose(2, 0, 1).copy()
