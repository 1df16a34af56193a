"""Every error and warning that glassnet raises on purpose.

All errors share one base class, so ``except GlassnetError`` catches exactly what
glassnet has to say; most are also the built-in error a Python or scikit-learn user
would expect. A message names what was got and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class GlassnetError(Exception):
    """Base class of all errors that glassnet raises on purpose."""


class InvalidInputError(GlassnetError, ValueError):
    """A value, shape or combination of parameters that cannot be used."""


class UnknownNameError(GlassnetError, ValueError):
    """A name that is not in the table of allowed names."""

    def __init__(self, kind: str, got: object, allowed: Iterable[str]):
        names = sorted(allowed)
        near = get_close_matches(str(got), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"Unknown {kind}: {got!r}. Allowed: {', '.join(names)}.{hint}")


class DataNotFoundError(GlassnetError, FileNotFoundError):
    """A data file is neither in the data home nor could it be downloaded."""


class CorruptFileError(GlassnetError, ValueError):
    """A file exists but does not hold what its name promises."""


class RunFolderError(GlassnetError, ValueError):
    """A run folder is missing, half-written or of another version."""


class DivergedError(GlassnetError, ArithmeticError):
    """The loss of a fit became NaN or infinite."""


class ForwardError(GlassnetError, RuntimeError):
    """A forward pass broke; `address` names the layer, `trace` holds what was recorded until then."""

    def __init__(self, message: str, address: str, trace: object):
        super().__init__(message)
        self.address = address
        self.trace = trace


class DistributedError(GlassnetError, RuntimeError):
    """Processes that train one network together cannot meet, do not agree, or have lost each other."""


class MissingDependencyError(GlassnetError, ImportError):
    """An optional library is needed; the message names the extra that brings it."""


class GlassnetWarning(UserWarning):
    """Base class of glassnet's warnings."""
