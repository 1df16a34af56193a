"""The contract: what an exhibit is.

An exhibit is one Python class here and one ES module that draws. The class knows no
host: the page, the notebook and a stand-alone file all talk to it through
`glassnet.lab.session.Session`. What is on screen follows from the settings and the
number of steps made, and from nothing else, so that a link, "copy as Python", the
slider back in time and a reconnect after a cut network all show the same thing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_origin

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from glassnet.errors import InvalidInputError
from glassnet.lab.protocol import words

if TYPE_CHECKING:
    from glassnet.lab.recording import Recording


class Settings(BaseModel):
    """Base of every exhibit's settings: plain values within declared bounds.

    Names are camelCase outside Python, as in a link: ``#networkShape=4,2&noise=10``.
    Lists may be given as such text.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True,
        extra="forbid", frozen=True, allow_inf_nan=False,
    )  # fmt: skip

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: Any) -> Any:
        """Read ``"4,2"`` as the list 4, 2 where a list is expected."""
        if not isinstance(values, dict):
            return values
        lists = {
            name
            for key, info in cls.model_fields.items()
            if get_origin(info.annotation) is tuple
            for name in (key, info.alias)
        }
        return {
            name: [part for part in value.split(",") if part] if name in lists and isinstance(value, str) else value
            for name, value in values.items()
        }

    @classmethod
    def from_link(cls, values: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Read the settings of a link, leaving out what is not allowed.

        Returns
        -------
        settings : Settings
        complaints : list of str
            One sentence for everything that was left out.

        Examples
        --------
        >>> from pydantic import Field
        >>> class Noise(Settings):
        ...     noise: int = Field(0, ge=0, le=50)
        >>> Noise.from_link({"noise": "90"})
        (Noise(noise=0), ["noise: got '90'; input should be less than or equal to 50."])
        """
        kept, complaints = dict(values), []
        while True:
            try:
                return cls.model_validate(kept), complaints
            except ValidationError as error:
                bad = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]} & kept.keys()
                complaints.append(words(error))
                kept = {name: value for name, value in kept.items() if name not in bad} if bad else {}

    def changed(self, values: Mapping[str, Any]) -> Self:
        """Return these settings with some values replaced.

        Raises
        ------
        pydantic.ValidationError
            If a value is out of its bounds.
        """
        return type(self).model_validate({**self.model_dump(by_alias=True), **values})


@dataclass(frozen=True)
class Frame:
    """What a page draws: JSON values, and named arrays of uint8 or float32."""

    values: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


class Exhibit(ABC):
    """One exhibit as one visitor sees it.

    Parameters
    ----------
    settings : Settings
        An instance of the class attribute ``Settings``. Changed settings make a new
        exhibit, unless they are all named in ``views``.
    own : object, optional
        What was read from a visitor's file, where the exhibit takes any.

    Attributes
    ----------
    Settings : type
        Class attribute: what a visitor can change, with bounds.
    views : frozenset of str
        Class attribute: settings (Python names) that change the picture only; they may be
        assigned to a living exhibit.
    questions : mapping of str to type
        Class attribute: questions that a page may ask, and the pydantic model of their details.
    uploads : mapping of str to callable
        Class attribute: kinds of files that a visitor may bring, and what reads their bytes and
        refuses those it cannot use (`glassnet.lab.uploads`). The constructor of an exhibit that
        has any takes what was read as ``own``, None before the first file.
    export : {"replay", "figure"}
        Class attribute: what a stand-alone file shows, recorded frames or one figure.
    parallel : int
        Class attribute: how many visitors' requests may run at once in one process.
    history : Recording or None
        The recorded time, where there is training.
    """

    Settings: ClassVar[type[Settings]]
    views: ClassVar[frozenset[str]] = frozenset()
    questions: ClassVar[Mapping[str, type[BaseModel]]] = {}
    uploads: ClassVar[Mapping[str, Callable[[bytes], Any]]] = {}
    export: ClassVar[Literal["replay", "figure"]] = "figure"
    parallel: ClassVar[int] = 1
    history: Recording | None = None

    def __init__(self, settings: Settings, own: Any = None):
        self.settings = settings
        self.own = own

    def step(self, n: int) -> None:
        """Make exactly ``n`` training steps.

        Raises
        ------
        InvalidInputError
            If this exhibit trains nothing.
        """
        self._recorded().advance(n)

    def seek(self, step: int) -> None:
        """Go back or forth to a recorded step; the state is the same to the bit."""
        self._recorded().seek(step)

    def finish(self) -> None:  # noqa: B027
        """Wait for what is computed in the background; most exhibits have nothing there."""

    def scene(self) -> Frame:
        """Return what stays the same while training goes on, such as the data."""
        return Frame()

    @abstractmethod
    def frame(self) -> Frame:
        """Return what is to be drawn at this step."""

    @abstractmethod
    def python(self) -> str:
        """Return a script that reproduces the numbers on screen through the public API."""

    def answer(self, question: BaseModel) -> Frame:
        """Answer a question; its class is one of those in ``questions``."""
        raise NotImplementedError(f"{type(self).__name__} declares questions but does not answer {question!r}.")

    def _recorded(self) -> Recording:
        if self.history is None:
            raise InvalidInputError(f"{type(self).__name__} trains nothing, so it has no steps.")
        return self.history
