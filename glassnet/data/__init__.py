"""Data sets: truth tables, points in the plane, handwritten digits.

`load` gives any of them by name. Nothing is downloaded or decoded before a loader is
called, and importing this package loads neither torch nor scikit-learn.
"""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from glassnet.data.dataset import Dataset
from glassnet.errors import UnknownNameError
from glassnet.registry import DATA, resolve

if TYPE_CHECKING:
    from glassnet.data.digits import load_digits as load_digits
    from glassnet.data.digits import load_mnist5k as load_mnist5k
    from glassnet.data.gates import load_gate as load_gate
    from glassnet.data.home import data_home as data_home
    from glassnet.data.home import fetch as fetch
    from glassnet.data.images import load_mnist as load_mnist
    from glassnet.data.images import mnist_images as mnist_images
    from glassnet.data.images import read_idx as read_idx
    from glassnet.data.images import read_image as read_image
    from glassnet.data.lines import LINES as LINES
    from glassnet.data.lines import load_lines as load_lines
    from glassnet.data.pictures import load_cifar10 as load_cifar10
    from glassnet.data.pictures import load_pictures as load_pictures
    from glassnet.data.toy import make_circle as make_circle
    from glassnet.data.toy import make_gauss as make_gauss
    from glassnet.data.toy import make_reg_gauss as make_reg_gauss
    from glassnet.data.toy import make_reg_plane as make_reg_plane
    from glassnet.data.toy import make_spiral as make_spiral
    from glassnet.data.toy import make_xor as make_xor

# public name -> module that defines it, loaded at first use
_PUBLIC: dict[str, str] = {
    "load_digits": "digits",
    "load_mnist5k": "digits",
    "load_gate": "gates",
    "data_home": "home",
    "fetch": "home",
    "LINES": "lines",
    "load_lines": "lines",
    "load_mnist": "images",
    "mnist_images": "images",
    "read_idx": "images",
    "read_image": "images",
    "load_cifar10": "pictures",
    "load_pictures": "pictures",
    "make_circle": "toy",
    "make_gauss": "toy",
    "make_reg_gauss": "toy",
    "make_reg_plane": "toy",
    "make_spiral": "toy",
    "make_xor": "toy",
}

__all__ = ["Dataset", "load", *_PUBLIC]


def load(name: str, **options: Any) -> Dataset:
    """Load a data set by its name.

    Parameters
    ----------
    name : str
        A key of `glassnet.registry.DATA`.
    **options
        What the loader of this set takes. All take `random_state` (an int by default,
        so that two loads agree; without effect where the data and its split are given);
        the sets in the plane also take `n_samples`, `noise` and `test_size`.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError
        If there is no such data set, or it has no such option.

    Examples
    --------
    >>> spiral = load("spiral", n_samples=200, noise=0.1)
    >>> spiral.X_train.shape, spiral.target_names
    ((100, 2), ('0', '1'))
    """
    loader = resolve(DATA, "data set", name)
    allowed = signature(loader).parameters
    for option in options:
        if option not in allowed:
            raise UnknownNameError(f"option of data set {name!r}", option, allowed)
    return loader(**options)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'glassnet.data' has no attribute {name!r}")
    value = getattr(import_module(f"glassnet.data.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
