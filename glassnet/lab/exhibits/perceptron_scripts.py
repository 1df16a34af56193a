"""The perceptron's rooms, written out as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.lab.exhibits.perceptron import PerceptronSettings

_RULE = """\
{imports}

{data}
unit = Perceptron("{variant}", shuffle={shuffle}, random_state={seed}, engine="{engine}")
state = unit.initialize(X, y)
mistakes = advance(state, {step})

print(f"mistakes {{mistakes.sum():.0f}}")
print(f"wrong {{(unit.predict(X) != y).sum()}}")
print(f"weights {{unit.coef_[0].round(2).tolist()}}, bias {{unit.intercept_[0]:.2f}}")
"""
_BOUND = 'print(f"bound {mistake_bound(X, y):.1f}")\n'
_CERTIFICATE = """\
certificate = linear_separability(X, y).certificate
print(f"both classes' means meet at {certificate.point.round(2).tolist()} with weights {certificate.weights.round(2)}")
print(f"certificate holds: {certificate.check(X, y)}")
"""

_HAND = """\
{imports}

{data}
X = np.pad(X, ((0, 0), (0, 2 - X.shape[1])))  # an input that is not there is 0
line = Line(({weight1}, {weight2}), {bias})
z = X.astype(np.float64) @ line.weight + line.bias

print(f"wrong {{line.misclassified(X, y).sum()}}")
print(f"soft loss {{binary_cross_entropy(z[:, None], y[:, None]).mean():.4f}}")
"""

_FIGURES = """\
from scipy import ndimage

from glassnet import connectedness, predicate_order
from glassnet.lab.exhibits.perceptron_rooms import RETINAS, figures

for figure in figures({flipped}):
    print(f"pieces {{ndimage.label(figure)[1]}}")
for rows, columns in RETINAS:
    print(f"{{rows}} x {{columns}}: order {{predicate_order(connectedness(rows, columns))}}")
"""


def by_rule(settings: PerceptronSettings, engine: str, step: int, separable: bool) -> str:
    """Return the fit, the mistakes and the bound or the certificate."""
    question = "mistake_bound" if separable else "linear_separability"
    names = ", ".join(sorted(("Perceptron", "advance", question), key=str.swapcase))
    text = _RULE.format(
        imports=_imports(settings, f"from glassnet import {names}"),
        data=_data(settings), variant=settings.variant, shuffle=settings.shuffle,
        seed=settings.seed, engine=engine, step=step,
    )  # fmt: skip
    return text + (_BOUND if separable else _CERTIFICATE)


def by_hand(settings: PerceptronSettings) -> str:
    """Return the two losses of a line."""
    line = {"weight1": settings.weight1, "weight2": settings.weight2, "bias": settings.bias}
    parts = ["from glassnet.data.lines import Line", "from glassnet.learning.losses import binary_cross_entropy"]
    loading = [] if settings.dataset == "own" else ["from glassnet.data import load"]
    return _HAND.format(imports="\n".join(["import numpy as np\n", *loading, *parts]), data=_data(settings), **line)


def figures(settings: PerceptronSettings) -> str:
    """Return the pieces of both figures and the orders."""
    return _FIGURES.format(flipped=settings.flipped)


def _imports(settings: PerceptronSettings, names: str) -> str:
    own = settings.dataset == "own"
    return f"import numpy as np\n\n{names}" if own else f"{names}\nfrom glassnet.data import load"


def _data(settings: PerceptronSettings) -> str:
    if settings.dataset != "own":
        return f'data = load("{settings.data_name}")\nX, y = data.X_train, data.y_train'
    rows = list(zip(settings.points[::3], settings.points[1::3], map(int, settings.points[2::3]), strict=True))
    return f"points = np.array({rows})\nX, y = points[:, :2].astype(np.float32), points[:, 2].astype(int)"
