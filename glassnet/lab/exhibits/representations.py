"""Representations: where each layer of a trained network puts the same pictures (2013).

t-SNE lays what a layer makes of some hundred pictures out in the plane, each layer started
from the one before, so that one can fly from the pixels to the answer and see the classes
come apart.

References
----------
J. Donahue et al. (2013). DeCAF: a deep convolutional activation feature for generic visual
recognition. arXiv:1310.1531.
L. van der Maaten, G. Hinton (2008). Visualizing data using t-SNE. JMLR 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, Field

from glassnet.lab.exhibit import Exhibit, Frame, Settings
from glassnet.lab.recording import Course

if TYPE_CHECKING:
    from glassnet.lab.exhibits.representations_space import Space

STEPS = 60  # from one layer to the next
MOST_SAMPLES = 600


class RepresentationsSettings(Settings):
    """What a visitor can change."""

    network: Literal["lenet", "resnet"] = "lenet"
    n_samples: int = Field(300, ge=100, le=MOST_SAMPLES, json_schema_extra={"choices": [200, 300, 600]})
    seed: int = Field(0, ge=0, le=2**31 - 1)
    classes: Literal["fine", "coarse"] = "fine"
    marks: Literal["dots", "pictures"] = "dots"
    point: int = Field(1, ge=1, le=MOST_SAMPLES)

    @property
    def key(self) -> tuple[str, int, int]:
        """What the layers' places follow from."""
        return self.network, self.n_samples, self.seed


class Progress(BaseModel):
    """How far is it?"""


class RepresentationsExhibit(Exhibit):
    """The same pictures after each layer; the layers are computed in the background.

    Examples
    --------
    >>> exhibit = RepresentationsExhibit(RepresentationsSettings(n_samples=200))
    >>> exhibit.finish()
    >>> list(exhibit.frame().values["layers"])
    ['input', 's2', 's4', 'c5', 'f6', 'output']
    """

    Settings = RepresentationsSettings
    views = frozenset({"classes", "marks", "point"})
    questions: ClassVar = {"progress": Progress}
    export = "replay"

    settings: RepresentationsSettings
    history: Course

    def __init__(self, settings: RepresentationsSettings):
        from glassnet.lab.exhibits.representations_space import NETWORKS, SPACES

        super().__init__(settings)
        self._job = SPACES.job(settings.key, self)
        self.history = Course(STEPS * len(NETWORKS[settings.network].layers))

    @property
    def space(self) -> Space | None:
        """The layers, once they are there.

        Raises
        ------
        GlassnetError, ...
            What went wrong, if they will never be there.
        """
        if self._job.error is not None:
            raise self._job.error
        return self._job.result

    def finish(self) -> None:
        """Wait until the layers are there."""
        self._job.wait()

    def step(self, n: int) -> None:
        """Fly on, once the layers are there."""
        if self.space is not None:
            super().step(n)

    def scene(self) -> Frame:
        """Return the places in each layer, (layers, samples, 2), the classes, and small pictures if they are shown."""
        space = self.space
        if space is None:
            return Frame({"n": 0})
        thumbnails = space.thumbnails if self.settings.marks == "pictures" else np.zeros(0, np.uint8)
        values = {
            "n": len(space.labels),
            "stepsPerLayer": STEPS,
            "isGrey": space.pictures.ndim == 3,
            "data": space.data,
            "isFallback": space.is_fallback,
            "names": space.names,
            "groups": space.groups,
        }
        return Frame(
            values,
            {
                "places": space.places,
                "labels": space.labels.astype(np.uint8),
                "members": space.members.astype(np.uint8),
                "thumbnails": thumbnails,
            },
        )

    def frame(self) -> Frame:
        """Return where the flight is, how well classes lie apart in each layer, and the point looked at."""
        space = self.space
        if space is None:
            return Frame({"share": self._job.share, "isReady": False})
        step, last = self.history.step, len(space.layers) - 1
        at = min(step // STEPS, last)
        point, arrays = self._point(space, at)
        return Frame(
            {
                "share": 1.0,
                "isReady": True,
                "layers": space.layers,
                "at": at,
                "on": (step - at * STEPS) / STEPS,
                "separation": space.separation[self.settings.classes],
                "trustworthiness": space.trustworthiness,
                "point": point,
            },
            arrays,
        )

    def _point(self, space: Space, layer: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what is known of the chosen sample, its picture, and those of its neighbours in this layer."""
        i = min(self.settings.point, len(space.labels)) - 1
        near = space.neighbours[layer, i]
        told = {
            "index": i + 1,
            "label": space.names[space.labels[i]],
            "group": space.groups[space.members[i]],
            "answer": space.names[int(space.answers[i].argmax())],
            "probability": round(float(space.answers[i].max()), 6),
            "x": round(float(space.places[layer, i, 0]), 4),
            "y": round(float(space.places[layer, i, 1]), 4),
            "neighbours": [{"index": int(k) + 1, "label": space.names[space.labels[k]]} for k in near],
        }
        return told, {"picture": space.pictures[i], "near": space.pictures[near]}

    def answer(self, question: BaseModel) -> Frame:
        """Say how far the background is."""
        return Frame({"share": self._job.share, "isReady": self._job.is_over})

    def python(self) -> str:
        """Return a script that prints the numbers on screen."""
        from glassnet.lab.exhibits.representations_space import script

        return script(self.settings, self.history.step // STEPS)
