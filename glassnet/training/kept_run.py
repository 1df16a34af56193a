"""A fit of several stages, written to a run folder as it goes, and taken up again from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glassnet.training.observers import Observer
from glassnet.training.run_folder import save_run
from glassnet.training.state import TrainingState


class KeptRun(Observer):
    """Write an estimator to a run folder as each stage begins, after every epoch, and when it is interrupted.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing.
    estimator : estimator
        The one that is fitted: one with ``warm_start``, so that another `fit` goes on.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from glassnet import DeepBeliefClassifier
    >>> from glassnet.training.run_folder import load_run
    >>> X, y = [[1, 0, 1], [0, 1, 0]] * 5, [0, 1] * 5
    >>> net = DeepBeliefClassifier((3, 2), pretrain_iter=2, max_iter=2, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     _ = net.pretrain(X, observers=[KeptRun(folder, net)])
    ...     same = load_run(folder).set_params(warm_start=True)
    >>> bool((same.fit(X, y).predict_proba(X) == net.fine_tune(X, y).predict_proba(X)).all())
    True
    """

    def __init__(self, folder: str | Path, estimator: Any):
        self.folder, self.estimator = folder, estimator
        self._seen, self._next = -1, 0

    def next_event(self, step: int) -> int:
        """Ask for ``step`` itself where a stage begins, then for the end of every epoch."""
        return self._next if self._seen == step else step

    def observe(self, state: TrainingState) -> None:
        """Write the estimator."""
        save_run(self.folder, self.estimator)
        self._seen, self._next = state.step, state.step - state.position + state.steps_per_epoch

    def interrupted(self, state: TrainingState) -> None:
        """Write the estimator as it is in mid-epoch."""
        save_run(self.folder, self.estimator)
