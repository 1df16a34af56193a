"""One visitor and one exhibit: requests go in, messages come out.

A session is the same for every host. It does work only when it is asked to, never
longer than its time budget, and turns every exception into words for the page.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
from pydantic import ValidationError

from glassnet.errors import GlassnetError
from glassnet.lab import protocol
from glassnet.lab.exhibit import Exhibit, Frame
from glassnet.lab.export import Film
from glassnet.lab.protocol import RefusedError

_log = logging.getLogger(__name__)


class Session:
    """A visitor's exhibit.

    Parameters
    ----------
    exhibit_class : type
        A final subclass of `Exhibit`.
    budget : float
        Seconds of training that one request may cost; a single step is always made.
    """

    def __init__(self, exhibit_class: type[Exhibit], budget: float = 0.02):
        self._class, self._budget = exhibit_class, budget
        self._seconds_per_step = budget
        self._exhibit: Exhibit | None = None
        self._own: Any = None
        self._film: Film | None = None

    @property
    def exhibit(self) -> Exhibit:
        """The exhibit as it is; open it first."""
        return self._opened()

    @property
    def parallel(self) -> int:
        """How many sessions of this exhibit may work at once in one process."""
        return self._class.parallel

    def handle(self, text: str | bytes) -> bytes:
        """Carry out one request and return the reply; never raises."""
        request_id = None
        try:
            request = protocol.parse(text)
            request_id = request.id
            reply = self._reply(request)
            return protocol.pack({"id": request_id, **reply.values}, reply.arrays)
        except RefusedError as error:
            return self._failure(error.request_id if request_id is None else request_id, str(error))
        except ValidationError as error:
            return self._failure(request_id, protocol.words(error))
        except GlassnetError as error:
            return self._failure(request_id, str(error))
        except Exception as error:
            _log.exception("%s failed", self._class.__name__)
            return self._failure(request_id, f"{type(error).__name__}: {error}")

    @staticmethod
    def _failure(request_id: int | None, words: str) -> bytes:
        return protocol.pack({"id": request_id, "error": words}, {})

    def _reply(self, request: protocol.Request) -> Frame:
        if self._film is not None and not isinstance(request, protocol.Export):
            self._film.stop()
            self._film = None
        match request:
            case protocol.Open():
                return self._open(request.settings)
            case protocol.Change():
                return self._change(request.settings)
            case protocol.Step():
                return self._train(request.n)
            case protocol.Seek():
                return self._seek(request.step)
            case protocol.Ask():
                return self._ask(request)
            case protocol.Upload():
                return self._upload(request)
            case protocol.Export():
                return self._export()
            case _:
                return Frame({"python": self._opened().python()})

    def _opened(self) -> Exhibit:
        if self._exhibit is None:
            raise RefusedError("The exhibit is not open yet: the first request must be 'open'.")
        return self._exhibit

    def _open(self, link: dict[str, Any]) -> Frame:
        settings, complaints = self._class.Settings.from_link(link)
        self._exhibit = self._new(settings)
        return self._opening(complaints)

    def _opening(self, complaints: list[str]) -> Frame:
        reply = self._whole()
        schema = self._class.Settings.model_json_schema(by_alias=True)
        return Frame({**reply.values, "schema": schema, "complaints": complaints}, reply.arrays)

    def _new(self, settings: Any) -> Exhibit:
        return self._class(settings, self._own) if self._class.uploads else self._class(settings)

    def _change(self, values: dict[str, Any]) -> Frame:
        exhibit = self._opened()
        new = exhibit.settings.changed(values)
        changed = {name for name in type(new).model_fields if getattr(new, name) != getattr(exhibit.settings, name)}
        if changed <= exhibit.views:
            exhibit.settings = new
        else:
            self._exhibit = self._new(new)
        return self._whole()

    def _upload(self, request: protocol.Upload) -> Frame:
        """Take a visitor's file in; an exhibit that is open starts anew with it."""
        readers = self._class.uploads
        if request.kind not in readers:
            raise RefusedError(f"This exhibit takes no file of kind {request.kind!r}. Allowed: {sorted(readers)}.")
        own = readers[request.kind](request.data)
        if self._exhibit is None:
            self._own = own
            return Frame()
        before, self._own = self._own, own
        try:
            self._exhibit = self._new(self._exhibit.settings.changed(request.settings))
        except Exception:
            self._own = before
            raise
        return self._whole()

    def _export(self) -> Frame:
        """Take moments for the stand-alone file until the budget is spent; the last reply brings the file."""
        film = self._film or Film(self._opened(), lambda: self._opening([]), self._frame)
        self._film, start = film, time.perf_counter()
        while film.share < 1:
            film.take()
            if time.perf_counter() - start > self._budget and film.share < 1:
                return Frame({"share": film.share})
        self._film = None
        return Frame({"share": 1.0}, {"html": np.frombuffer(film.html(), np.uint8)})

    def _seek(self, step: int) -> Frame:
        exhibit = self._opened()
        last = exhibit.history.last if exhibit.history else 0
        exhibit.seek(min(step, last))
        return self._train(step - last) if step > last else self._frame()

    def _train(self, n: int) -> Frame:
        """Make at most ``n`` steps, in pieces that fit into the budget."""
        exhibit = self._opened()
        start, done, spent = time.perf_counter(), 0, 0.0
        while done < n and spent < self._budget:
            piece = max(1, min(n - done, int((self._budget - spent) / self._seconds_per_step)))
            exhibit.step(piece)
            done += piece
            before, spent = spent, time.perf_counter() - start
            self._seconds_per_step = max((spent - before) / piece, 1e-9)
        return self._frame()

    def _ask(self, request: protocol.Ask) -> Frame:
        exhibit = self._opened()
        if request.question not in exhibit.questions:
            allowed = ", ".join(sorted(exhibit.questions)) or "none"
            raise RefusedError(f"Unknown question {request.question!r}. Allowed: {allowed}.")
        reply = exhibit.answer(exhibit.questions[request.question].model_validate(request.details))
        return Frame({"answer": reply.values}, reply.arrays)

    def _whole(self) -> Frame:
        exhibit = self._opened()
        scene, frame = exhibit.scene(), self._frame()
        settings = exhibit.settings.model_dump(mode="json", by_alias=True)
        values = {"settings": settings, "scene": scene.values, **frame.values}
        return Frame(values, {**scene.arrays, **frame.arrays})

    def _frame(self) -> Frame:
        exhibit = self._opened()
        frame, history = exhibit.frame(), exhibit.history
        moment = {"step": history.step, "epoch": history.epoch, "last": history.last} if history else None
        return Frame({"time": moment, "frame": frame.values}, frame.arrays)
