"""What a training run was at every step: its scalars in full, its state now and then.

Steps between two snapshots are made again, not stored: a run is a pure function of its
state, so a restored step equals the recorded one to the bit.
"""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from glassnet.errors import GlassnetWarning, InvalidInputError
from glassnet.inspect import history_file
from glassnet.inspect.history_parts import Losses, Series, Snapshots
from glassnet.training.loop import advance
from glassnet.training.observers import Observer
from glassnet.training.state import TrainingState


class History(Observer):
    """Record a training run: every loss, other scalars at their steps, sparse snapshots.

    Memory stays under ``max_bytes``. When that is full, the largest part is thinned:
    every second snapshot is dropped and their interval doubled, or every second loss.
    Watching changes nothing in the run, to the bit. A run that is taken up again from an
    earlier step overwrites what was recorded after it.

    Parameters
    ----------
    max_bytes : int
        Bytes of memory that the record may take, 64 MB unless told otherwise.
    every : int
        Steps between two snapshots at first.
    measures : mapping of str to callable, optional
        Other scalars: each callable takes the `TrainingState` and returns a float.
    measure_every : int
        Steps between two measurements.
    quiet : bool
        Thin without a warning.

    Examples
    --------
    >>> from glassnet import MLPClassifier
    >>> history = History(every=10)
    >>> net = MLPClassifier((4,), random_state=0, max_iter=25, tol=None)
    >>> _ = net.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], observers=[history])
    >>> len(history.losses), history.snapshot_steps.tolist()
    (25, [0, 10, 20])
    >>> history.restore(net.state_, 13)
    >>> net.state_.step
    13
    """

    def __init__(
        self,
        max_bytes: int = 64_000_000,
        every: int = 100,
        measures: Mapping[str, Callable[[TrainingState], float]] | None = None,
        measure_every: int = 100,
        quiet: bool = False,
    ):
        for name, value in (("max_bytes", max_bytes), ("every", every), ("measure_every", measure_every)):
            if value < 1:
                raise InvalidInputError(f"History takes {name} >= 1, got {value!r}.")
        self.max_bytes, self.quiet = max_bytes, quiet
        self.measures, self.measure_every = dict(measures or {}), measure_every
        self._losses, self._snapshots = Losses(), Snapshots(every)
        self._scalars: dict[str, Series] = {}
        self._just_observed = self._warned = False

    @property
    def steps(self) -> np.ndarray:
        """Steps whose loss is held, int64 of shape (n,): every step, until the losses are thinned."""
        return self._losses.steps

    @property
    def losses(self) -> np.ndarray:
        """Mean loss of each of those steps' batches, before the step: float32 of shape (n,)."""
        return self._losses.values

    @property
    def end(self) -> int:
        """The step that the recorded run has reached."""
        return self._losses.end

    @property
    def snapshot_steps(self) -> np.ndarray:
        """Steps at which the state is held, int64 of shape (n_snapshots,)."""
        return np.array(self._snapshots.steps, np.int64)

    @property
    def scalars(self) -> dict[str, Series]:
        """The other scalars by name, each with ``steps`` and ``values``."""
        return dict(self._scalars)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the record takes, spare capacity included."""
        return sum(part.nbytes for part in self._parts())

    def _parts(self) -> list[Losses | Snapshots | Series]:
        return [self._losses, self._snapshots, *self._scalars.values()]

    def next_event(self, step: int) -> int:
        """Ask for ``step`` itself where a run begins, then for the next snapshot or measurement."""
        if not self._just_observed:
            return step
        self._just_observed = False
        grids = [self._snapshots.every, *([self.measure_every] if self.measures else [])]
        return min(step - step % every + every for every in grids)

    def record(self, first_step: int, losses: np.ndarray) -> None:
        """Take the losses of the steps from ``first_step`` on."""
        self._go_back_to(first_step)
        self._losses.record(first_step, losses)
        self._stay_in_budget()

    def observe(self, state: TrainingState) -> None:
        """Snapshot and measure the state where a run begins or its step asks for it."""
        self._just_observed = True
        begins = state.step < self.end or not len(self._losses)
        self._go_back_to(state.step)
        if begins or state.step % self._snapshots.every == 0:
            self._snapshots.add(state)
        if begins or state.step % self.measure_every == 0:
            for name, measure in self.measures.items():
                self.add(name, state.step, measure(state))
        self._stay_in_budget()

    def add(self, name: str, step: int, value: float) -> None:
        """Append one value of another scalar.

        Parameters
        ----------
        name : str
            For example "validation_loss" or "test_loss".
        step : int
            Steps made when it was measured; values of this and later steps are forgotten.
        value : float
            Held as float32.
        """
        self._scalars.setdefault(name, Series()).add(step, float(value))
        self._stay_in_budget()

    def _go_back_to(self, step: int) -> None:
        """Forget what came after ``step``, from which the run was taken up again."""
        if len(self._losses) and step > self.end:
            raise InvalidInputError(
                f"This history ends at step {self.end}, but the run is at step {step}. "
                "A History watches one run; take a new one for another."
            )
        if step < self.end:
            self._losses.truncate(step)
            for part in (self._snapshots, *self._scalars.values()):
                part.truncate(step + 1)

    def _stay_in_budget(self) -> None:
        """Halve the largest part, again and again, until all fit."""
        if self.nbytes <= self.max_bytes:
            return
        while self.nbytes > self.max_bytes:
            parts = [part for part in self._parts() if len(part)]
            if not parts:
                break
            max(parts, key=lambda part: part.nbytes).halve()
        if not (self._warned or self.quiet):
            self._warned = True
            warnings.warn(self._what_is_left(), GlassnetWarning, stacklevel=2)

    def _what_is_left(self) -> str:
        return (
            f"The history was full at {self.max_bytes / 1e6:g} MB and was thinned: it holds {len(self._snapshots)} "
            f"snapshots, one in {self._snapshots.every} steps, and the loss of one in {self._losses.stride} steps. "
            "It goes on thinning without a word. History(max_bytes=...) sets its memory."
        )

    def restore(self, state: TrainingState, step: int) -> None:
        """Put ``state`` to what it was after ``step`` steps, to the bit.

        The nearest earlier snapshot is loaded and the steps from there are made again.

        Parameters
        ----------
        state : TrainingState
            The state that was watched, or one made alike; changed in place.
        step : int
            Between the first snapshot and `end`.

        Raises
        ------
        InvalidInputError
            If the history does not reach to ``step``, or ``state`` is of another network.
        """
        steps = self._snapshots.steps
        nearest = bisect_right(steps, step) - 1
        if nearest < 0 or step > max(self.end, steps[-1]):
            held = f"steps {steps[0]} to {max(self.end, steps[-1])}" if steps else "no snapshots"
            raise InvalidInputError(f"Cannot restore step {step}: this history holds {held}.")
        state.load_state_dict(self._snapshots.state_dict(nearest))
        advance(state, step - state.step)

    def save(self, folder: str | Path) -> None:
        """Write the record to ``folder``: ``history.json`` and the safetensors file that it names.

        A process killed while it saves leaves the old record whole.
        """
        losses, snapshots = self._losses, self._snapshots
        tensors = {"losses": losses.values, **snapshots.to_tensors()}
        for name, series in self._scalars.items():
            tensors |= {f"steps/{name}": series.steps, f"values/{name}": series.values}
        table = {"first": losses.first, "end": losses.end, "stride": losses.stride, "every": snapshots.every}
        table |= {"max_bytes": self.max_bytes, "scalars": list(self._scalars), "counters": snapshots.counters}
        history_file.write(Path(folder), table, tensors)

    @classmethod
    def load(cls, folder: str | Path, quiet: bool = False) -> History:
        """Read the record that `save` wrote.

        Parameters
        ----------
        folder : str or Path
            Where it was saved.
        quiet : bool
            Thin without a warning when the run goes on.

        Raises
        ------
        RunFolderError
            If the folder holds no history, or one of another version.
        CorruptFileError
            If a file is damaged.
        """
        with history_file.reading(Path(folder)) as (table, tensors):
            history = cls(table["max_bytes"], table["every"], quiet=quiet)
            history._losses.record(table["first"], tensors["losses"])
            history._losses.stride, history._losses.end = table["stride"], table["end"]
            history._snapshots.from_tensors(tensors, table["counters"])
            for name in table["scalars"]:
                for step, value in zip(tensors[f"steps/{name}"], tensors[f"values/{name}"], strict=True):
                    history.add(name, int(step), value)
        return history
