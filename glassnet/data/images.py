"""Pictures: MNIST from its original IDX files, and single image files.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), "Gradient-Based Learning Applied to
Document Recognition", Proceedings of the IEEE 86(11), made MNIST: 70,000 handwritten
digits, 28 x 28, white ink (255) on black (0).
"""

from __future__ import annotations

import math
import os
import struct
import warnings
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from glassnet.data.dataset import Dataset, pixel_names
from glassnet.data.home import DataFile, cached_array, fetch, is_here, open_content
from glassnet.errors import CorruptFileError, DataNotFoundError, GlassnetWarning, InvalidInputError

# third byte of an IDX file -> type of its values
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

_MNIST_HOMES = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def _mnist_file(name: str, sha256: str) -> DataFile:
    return DataFile(f"mnist/{name}", sha256, tuple(home + name for home in _MNIST_HOMES))


_MNIST = {
    "train": (
        _mnist_file("train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        _mnist_file("train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    "test": (
        _mnist_file("t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        _mnist_file("t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
}


def load_mnist(random_state: int | None = 0) -> Dataset:
    """Return MNIST in its original split, 60,000 digits to learn from and 10,000 to test on.

    Parameters
    ----------
    random_state : int or None
        Without effect, the split is given; every loader takes it.

    Returns
    -------
    Dataset
        X of shape (60000, 784) and (10000, 784) in [0, 1].

    Raises
    ------
    DataNotFoundError
        If a file is not in the data home and cannot be downloaded.
    CorruptFileError
        If a file there is not the original.

    See Also
    --------
    mnist_images : the same as uint8 pictures, memory-mapped.
    """
    images, labels = mnist_images("train")
    test_images, test_labels = mnist_images("test")
    return Dataset(
        "mnist", as_rows(images), labels.astype(np.int64), as_rows(test_images), test_labels.astype(np.int64),
        pixel_names(28, 28), tuple("0123456789"), "classification", (28, 28),
    )  # fmt: skip


def has_mnist(part: Literal["train", "test"] = "test") -> bool:
    """Return whether MNIST's files are there, so that nothing would be downloaded."""
    return all(map(is_here, _MNIST[part]))


def mnist_images(part: Literal["train", "test"] = "train") -> tuple[np.ndarray, np.ndarray]:
    """Return MNIST's pictures as they are stored, decoded once and memory-mapped from then on.

    Parameters
    ----------
    part : {"train", "test"}

    Returns
    -------
    images : ndarray of uint8, shape (n, 28, 28)
        Read-only; 0 is paper, 255 is ink.
    labels : ndarray of uint8, shape (n,)
        Read-only.

    Raises
    ------
    InvalidInputError, DataNotFoundError, CorruptFileError
    """
    if part not in _MNIST:
        raise InvalidInputError(f"part is 'train' or 'test', got {part!r}")
    images, labels = (_decoded(file) for file in _MNIST[part])
    return images, labels


def as_rows(images: np.ndarray) -> np.ndarray:
    """Return uint8 pictures as float32 rows in [0, 1].

    Parameters
    ----------
    images : ndarray of uint8, shape (n, ...)

    Returns
    -------
    ndarray of float32, shape (n, values per picture)

    Examples
    --------
    >>> as_rows(np.array([[[0, 51], [255, 0]]], np.uint8)).round(3).tolist()
    [[0.0, 0.20000000298023224, 1.0, 0.0]]
    """
    return np.divide(images.reshape(len(images), -1), np.float32(255), dtype=np.float32)


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an IDX file, gzipped or not.

    The format: two zero bytes, a type code, the number of dimensions, each length as a
    big-endian uint32, then the values, big-endian.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ndarray
        Of the stored type and shape, in native byte order.

    Raises
    ------
    DataNotFoundError
        If there is no such file.
    CorruptFileError
        If it is not an IDX file, or has more or fewer values than its header says.
    """
    if not Path(path).is_file():
        raise DataNotFoundError(f"There is no file {path}")
    with open_content(path) as file:
        content = file.read()
    dtype, shape = _idx_header(path, content)
    values = len(content) - 4 - 4 * len(shape)
    expected = math.prod(shape) * dtype.itemsize
    if values != expected:
        raise CorruptFileError(
            f"{path} holds {values} bytes of values, but its header promises {expected}: shape {shape} of {dtype.name}"
        )
    array = np.frombuffer(content, dtype, offset=4 + 4 * len(shape)).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def _idx_header(path: str | os.PathLike, content: bytes) -> tuple[np.dtype, tuple[int, ...]]:
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _IDX_TYPES or content[3] == 0:
        raise CorruptFileError(
            f"{path} is not an IDX file: it starts with {content[:4].hex(' ') or 'nothing'}, not with 00 00, "
            f"a type ({', '.join(f'{code:02x}' for code in _IDX_TYPES)}) and a number of dimensions"
        )
    n_dimensions = content[3]
    if len(content) < 4 + 4 * n_dimensions:
        raise CorruptFileError(f"{path} breaks off in its header, after {len(content)} bytes")
    return np.dtype(_IDX_TYPES[content[2]]), struct.unpack_from(f">{n_dimensions}I", content, 4)


def _decoded(file: DataFile) -> np.ndarray:
    stem = Path(file.path).name.removesuffix(".gz")
    return cached_array(f"{stem}-{file.sha256[:12]}", lambda: read_idx(fetch(file)))


def read_image(
    path: str | os.PathLike | BinaryIO,
    image_shape: tuple[int, ...],
    *,
    resize: bool | Literal["crop"] = False,
    invert: bool | Literal["auto"] = "auto",
) -> np.ndarray:
    """Read one image file as the picture that a network was trained on.

    Digits are white ink on black in every data set here, while most people draw and scan
    dark on light. `invert="auto"` turns a grey picture over if its border is light on
    average, and warns that it did; colour pictures are left as they are.

    Parameters
    ----------
    path : path-like or binary file
        PNG, JPEG or whatever Pillow decodes. A photo is turned upright by its EXIF note;
        what is transparent becomes white paper.
    image_shape : tuple of int
        (height, width) or (1, height, width) for grey, (3, height, width) for colour: a
        `Dataset`'s `image_shape`.
    resize : bool or "crop"
        Stretch a picture of another size to fit; or scale it as a photo, its middle cut out to the
        form that is needed. Otherwise another size is an error.
    invert : bool or "auto"

    Returns
    -------
    ndarray of float32, shape `image_shape`
        In [0, 1]. `.reshape(1, -1)` makes it a row for `predict`.

    Raises
    ------
    DataNotFoundError
        If there is no such file.
    CorruptFileError
        If it does not decode.
    InvalidInputError
        If its size is another and `resize` is False, or a parameter cannot be used.

    Warns
    -----
    GlassnetWarning
        If `invert="auto"` turned the picture over, or `resize="crop"` scaled it.

    Examples
    --------
    >>> from io import BytesIO
    >>> from PIL import Image
    >>> file = BytesIO()
    >>> Image.fromarray(np.array([[0, 255], [51, 0]], np.uint8)).save(file, "PNG")
    >>> read_image(file, (2, 2), invert=False).round(1).tolist()
    [[0.0, 1.0], [0.20000000298023224, 0.0]]
    """
    if len(image_shape) not in (2, 3) or (len(image_shape) == 3 and image_shape[0] not in (1, 3)):
        raise InvalidInputError(f"image_shape is (H, W), (1, H, W) or (3, H, W), got {image_shape}")
    if invert not in (True, False, "auto"):
        raise InvalidInputError(f"invert is True, False or 'auto', got {invert!r}")
    name = getattr(path, "name", "the image") if hasattr(path, "read") else str(path)
    image = open_picture(path, name)
    height, width = image_shape[-2:]
    if image.size != (width, height):
        if not resize:
            raise InvalidInputError(
                f"{name} is {image.height} x {image.width} pixels (height x width), but {height} x {width} are "
                "needed; resize=True stretches it"
            )
        image = _scaled(image, (width, height), name) if resize == "crop" else image.resize((width, height))
    grey = len(image_shape) == 2 or image_shape[0] == 1
    values = np.asarray(image.convert("L" if grey else "RGB"), np.float32) / np.float32(255)
    if _is_turned(values, invert, name):
        values = 1 - values
    return values.reshape(image_shape) if grey else values.transpose(2, 0, 1).copy()


def _scaled(image, size: tuple[int, int], name: str):
    """Return the middle of a picture, cut out in the form of ``size`` and scaled to it; say so."""
    from PIL import ImageOps

    width, height = size
    message = f"{name} is {image.height} x {image.width} pixels; its middle was scaled to {height} x {width}."
    warnings.warn(message, GlassnetWarning, stacklevel=3)
    return ImageOps.fit(image, size)


def open_picture(path: str | os.PathLike | BinaryIO, name: str):
    """Return a picture file as an upright Pillow image of 8 bits, grey ("L") or colour ("RGB").

    Raises
    ------
    DataNotFoundError, CorruptFileError, InvalidInputError
        If there is no such file, it does not decode, or it holds values beyond 16 bits.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            return image if image.mode in ("L", "RGB") else _plain_image(image, name)
    except FileNotFoundError as error:
        raise DataNotFoundError(f"There is no file {name}") from error
    except InvalidInputError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise CorruptFileError(f"{name} does not decode as a picture: {error}") from error


def _plain_image(image, name: str):
    """Return a picture of another mode as grey or colour; what is transparent becomes white paper."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        image = _to_8_bit(image, name)
    grey = image.mode in ("1", "L", "LA", "La")
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("L" if grey else "RGB")


def _to_8_bit(image, name: str):
    """Return a picture of 16-bit integers as one of 8; Pillow itself would clip it at 255."""
    from PIL import Image

    values = np.asarray(image)
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 65535:
        raise InvalidInputError(f"{name} holds values beyond 16 bits (mode {image.mode}); save it with 8 or 16 bits")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _is_turned(values: np.ndarray, invert: bool | str, name: str) -> bool:
    """Decide whether to turn a picture over, and say so if nobody asked for it."""
    if invert != "auto":
        return bool(invert)
    if values.ndim == 3:
        return False
    border = np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])
    if border.mean() <= 0.5:
        return False
    message = f"{name} is dark on light; it was turned to white on black, as MNIST is. invert=False keeps it as it is."
    warnings.warn(message, GlassnetWarning, stacklevel=3)
    return True
