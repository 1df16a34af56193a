"""Pictures of networks: each a Display of numbers with ``from_...``, ``plot`` and ``save``.

The Displays are loaded when they are first used: importing this package loads no matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from glassnet.registry import PLOTS

_MODULES = {attribute: module for module, attribute in (entry.split(":") for entry in PLOTS.values())}

__all__ = sorted(_MODULES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'glassnet.plots' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
