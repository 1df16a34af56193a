"""Classifier and loss: scores become probabilities, and the label says what they cost.

Eight classes; the scores (logits) are the visitor's to drag. Softmax makes probabilities of
them, the cross-entropy with the label is the loss, and softmax less label is the gradient with
respect to the scores. With a softened label, entropy and KL divergence part.

References
----------
J. S. Bridle (1990). Probabilistic interpretation of feedforward classification network outputs.
C. Szegedy et al. (2016). Rethinking the Inception architecture: labels softened evenly.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings

REACH = 6.0  # of a score
CLASSES = ("clown fish", "tench", "goldfish", "sturgeon", "lionfish", "puffer fish", "grizzly bear", "seal")
SCORES = (
    4.2,
    0.4,
    2.1,
    -0.6,
    1.3,
    0.2,
    -3.0,
    -1.2,
)  # an example to start from: what a good net could say of a clown fish


class LossSettings(Settings):
    """What a visitor can change."""

    label: Literal["clown fish", "tench", "goldfish", "sturgeon", "lionfish", "puffer fish", "grizzly bear", "seal"] = (
        "clown fish"
    )
    scores: tuple[Annotated[float, Field(ge=-REACH, le=REACH)], ...] = Field(SCORES, min_length=8, max_length=8)
    temperature: float = Field(1.0, ge=0.2, le=5)
    smoothing: float = Field(0.0, ge=0, le=0.9)


class LossExhibit(Exhibit):
    """Scores, softmax, cross-entropy and KL divergence of eight classes.

    Examples
    --------
    >>> seen = LossExhibit(LossSettings()).frame().values
    >>> round(seen["loss"], 3), round(seen["labelProbability"], 3)
    (0.208, 0.812)
    """

    Settings = LossSettings
    views = frozenset({"label", "scores", "temperature", "smoothing"})

    settings: LossSettings

    def scene(self) -> Frame:
        """Return the names of the classes."""
        return Frame({"classes": CLASSES})

    def frame(self) -> Frame:
        """Return loss, entropies and divergences, and for each class probability, target and gradient."""
        from glassnet.learning.activations import softmax
        from glassnet.learning.losses import cross_entropy, entropy, kl_divergence

        z, target = self._logits(), self._target()
        p = softmax(z[None])[0]
        return Frame(
            {
                "loss": float(cross_entropy(z[None], target[None])[0]),
                "labelProbability": float(p[CLASSES.index(self.settings.label)]),
                "entropy": float(entropy(target)) + 0.0,  # no minus before a zero
                "divergence": float(kl_divergence(target, p)),
                "reverse": _finite(kl_divergence(p, target)),
                "guess": CLASSES[int(p.argmax())],
            },
            {
                "probabilities": p.astype(np.float32),
                "target": target.astype(np.float32),
                "gradient": (p - target).astype(np.float32),
            },
        )

    def _logits(self) -> np.ndarray:
        return np.array(self.settings.scores) / self.settings.temperature

    def _target(self) -> np.ndarray:
        """Return the label as probabilities, a share of them spread evenly over all classes."""
        one_hot = np.array([name == self.settings.label for name in CLASSES], float)
        return (1 - self.settings.smoothing) * one_hot + self.settings.smoothing / len(CLASSES)

    def python(self) -> str:
        """Return the numbers as a script."""
        settings = self.settings
        return _SCRIPT.format(
            scores=list(settings.scores), temperature=settings.temperature, smoothing=settings.smoothing,
            label=CLASSES.index(settings.label), n=len(CLASSES),
        )  # fmt: skip


def _finite(value: Any) -> float | None:
    """Return None for what JSON cannot say."""
    return float(value) if np.isfinite(value) else None


_SCRIPT = """\
import numpy as np

from glassnet.learning.activations import softmax
from glassnet.learning.losses import cross_entropy, entropy, kl_divergence

z = np.array({scores}) / {temperature}
target = (1 - {smoothing}) * np.eye({n})[{label}] + {smoothing} / {n}
p = softmax(z[None])[0]
loss = cross_entropy(z[None], target[None])[0]
print(f"loss {{loss:.4f}}, exp(-loss) {{np.exp(-loss):.4f}}, probability of the label {{p[{label}]:.4f}}")
print(f"entropy of the target {{entropy(target):.4f}} + KL(target, p) {{kl_divergence(target, p):.4f}}")
print(f"KL(p, target) {{kl_divergence(p, target):.4f}}")
print("gradient", *(f"{{value:.4f}}" for value in p - target))
"""
