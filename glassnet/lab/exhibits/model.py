"""Your model: any network, opened with the look-inside plots.

``glassnet lab --model file.py:function --input 1x3x32x32`` opens one of your own. Without it
the exhibit shows the LeNet-5 that comes trained, on held-out digits. Pictures are those of
``glassnet inspect`` (`glassnet.plots.inspection`), drawn when they are asked for.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from glassnet.lab.exhibit import Exhibit, Frame, Settings

if TYPE_CHECKING:
    from glassnet.inspect.describe import LayerTable
    from glassnet.plots.inspection import Subject

N_DIGITS = 100  # of the example


class ModelSettings(Settings):
    """What a visitor can change."""

    picture: Literal[
        "module-graph", "architecture", "layer-tensors", "signal", "filters", "feature-maps", "attention",
        "activation-histogram", "gradient-flow", "equation", "class-probabilities", "embedding", "confusion-matrix",
        "decision-boundary", "wiring", "weight-matrix",
    ] = "module-graph"  # fmt: skip


@dataclass
class Opened:
    """A network that the lab shows.

    Parameters
    ----------
    subject : Subject
        The network and what it is given.
    build : str
        Python that makes it under the name ``model``.
    """

    subject: Subject
    build: str

    @cached_property
    def table(self) -> LayerTable:
        """Its layers."""
        from glassnet.inspect.describe import describe

        return describe(self.subject.model, *(value[:1] for value in self.subject.inputs))

    @cached_property
    def pictures(self) -> dict[str, tuple[dict[str, np.ndarray], str]]:
        """Pictures that were asked for, SVG of each theme as uint8, and why one does not apply."""
        return {}

    def picture(self, name: str) -> tuple[dict[str, np.ndarray], str]:
        """Return a picture, drawn the first time it is asked for."""
        if name not in self.pictures:
            self.pictures[name] = _drawn(self.subject, name)
        return self.pictures[name]


class ModelExhibit(Exhibit):
    """A network, its layers, and one picture of what is inside.

    Attributes
    ----------
    opened : Opened or None
        Class attribute: what is shown; None shows the example.

    Examples
    --------
    >>> exhibit = ModelExhibit(ModelSettings(picture="filters"))
    >>> exhibit.frame().values["parameters"]
    61706
    """

    Settings = ModelSettings
    views = frozenset({"picture"})
    opened: ClassVar[Opened | None] = None

    settings: ModelSettings

    def __init__(self, settings: ModelSettings):
        super().__init__(settings)
        self.shown = type(self).opened or example()

    def scene(self) -> Frame:
        """Return the picture, light and dark, empty where it does not apply."""
        from glassnet.plots.inspection import INSPECTIONS

        svg, refused = self.shown.picture(self.settings.picture)
        values = {"says": INSPECTIONS[self.settings.picture][1], "refused": refused}
        return Frame(values, svg or {theme: np.zeros(0, np.uint8) for theme in ("light", "dark")})

    def frame(self) -> Frame:
        """Return what it is, and its layers."""
        subject, table = self.shown.subject, self.shown.table
        rows = [
            {
                "address": row.address or "(model)",
                "kind": row.kind,
                "shape": list(row.output_shape or ()),
                "parameters": row.parameters,
                "calls": row.calls,
            }
            for row in table
        ]
        return Frame(
            {
                "name": subject.name,
                "facts": list(subject.facts),
                "isExample": type(self).opened is None,
                "parameters": table.parameters,
                "layers": rows,
            }
        )

    def python(self) -> str:
        """Return a script that prints the layers of the page."""
        inputs = ", ".join(_zeros(value) for value in self.shown.subject.inputs)
        return _SCRIPT.format(build=self.shown.build, inputs=inputs)


@lru_cache(maxsize=1)
def example() -> Opened:
    """Return the LeNet-5 that comes trained, on held-out digits."""
    import torch

    from glassnet.data import load
    from glassnet.plots.inspection import Subject
    from glassnet.training.trained import load_trained

    digits, net = load("mnist5k"), load_trained("lenet5-mnist")
    X = digits.X_test[:N_DIGITS]
    net.module_.eval()
    subject = Subject(
        "LeNet-5, trained on MNIST", net, (torch.from_numpy(X.reshape(-1, 1, 28, 28)),), X, digits.y_test[:N_DIGITS],
        (28, 28), [str(digit) for digit in range(10)], facts=[f"Input: the first {N_DIGITS} held-out digits."],
    )  # fmt: skip
    return Opened(subject, _EXAMPLE)


def _drawn(subject: Subject, name: str) -> tuple[dict[str, np.ndarray], str]:
    """Return a picture's SVG of each theme; or none, and why it does not apply."""
    from glassnet.plots.inspection import displays_of
    from glassnet.plots.style import THEMES

    displays, refused = displays_of(subject, [name])
    if refused:
        return {}, refused[name]
    with tempfile.TemporaryDirectory() as folder:
        paths = {theme: displays[name].save(Path(folder, f"{theme}.svg"), theme=theme) for theme in THEMES}
        return {theme: np.frombuffer(path.read_bytes(), np.uint8) for theme, path in paths.items()}, ""


def _zeros(value: Any) -> str:
    """Return Python that makes one sample of an input's shape and type; of its values no layer's shape depends."""
    shape = (1, *value.shape[1:])
    if isinstance(value, np.ndarray):
        return f"np.zeros({shape}, np.{value.dtype})"
    return f"torch.zeros({shape}, dtype={value.dtype})"


_EXAMPLE = """\
from glassnet.training.trained import load_trained

model = load_trained("lenet5-mnist")
"""

_SCRIPT = """\
import numpy as np
import torch

from glassnet.inspect.describe import describe
{build}
table = describe(model, {inputs})
for row in table:
    print(row.address or "(model)", row.kind, row.output_shape, row.parameters)
print("parameters", table.parameters)
"""
