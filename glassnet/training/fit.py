"""What `fit` does around the loop: epochs counted, losses kept, an early end, a progress bar."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sklearn.exceptions import ConvergenceWarning

from glassnet.training.loop import run
from glassnet.training.observers import EpochLosses, Observer, Plateau, Validation
from glassnet.training.state import TrainingState


@dataclass
class FitResult:
    """What a fit leaves behind besides the state.

    Parameters
    ----------
    loss_curve : list of float
        Mean training loss of every epoch.
    validation_loss_curve : list of float
        Loss on held-out data after every epoch; empty without such data.
    """

    loss_curve: list[float] = field(default_factory=list)
    validation_loss_curve: list[float] = field(default_factory=list)


def run_epochs(
    state: TrainingState,
    n_epochs: int,
    result: FitResult,
    *,
    tol: float | None = None,
    patience: int = 10,
    validation_loss: Callable[[], float] | None = None,
    verbose: bool = False,
    observers: Sequence[Observer] = (),
    begun: Sequence[float] = (),
) -> None:
    """Advance ``state`` by at most ``n_epochs`` epochs and fill ``result``, also when it ends by an error.

    Parameters
    ----------
    state : TrainingState
        Changed in place.
    n_epochs : int
        One that has begun counts as the first.
    result : FitResult
        Filled in place.
    tol : float or None
        The fit ends when the loss has not fallen by this for ``patience`` epochs; None: it
        never ends early. With ``validation_loss`` given, that loss is meant, and the state in
        which it was lowest is put back at the end.
    patience : int
    validation_loss : callable, optional
        () -> float, the current loss on held-out data.
    verbose : bool
        Show a progress bar.
    observers : sequence of Observer
    begun : sequence of float
        Losses of the steps made in the current epoch already.
    """
    losses = EpochLosses(state, begun)
    result.loss_curve = losses.values
    stopper: Plateau | Validation | None = None
    if validation_loss is not None:
        stopper = Validation(state, validation_loss, tol or 0.0, patience, result.validation_loss_curve)
    elif tol is not None:
        stopper = Plateau(state, losses, tol, patience)
    watching = [losses, *([stopper] if stopper else []), *observers]
    last_step = state.step - state.position + n_epochs * state.steps_per_epoch
    try:
        if verbose:
            from glassnet.training.progress import ProgressBar

            with ProgressBar(state, n_epochs) as bar:
                run(state, last_step, [*watching, bar])
        else:
            run(state, last_step, watching)
    finally:
        if isinstance(stopper, Validation):
            state.load_state_dict(stopper.best)
    if stopper and not stopper.stopped:
        warnings.warn(
            f"The loss was still falling after max_iter={n_epochs} epochs. "
            "Raise max_iter, or give tol=None to ask for exactly that many.",
            ConvergenceWarning,
            stacklevel=4,
        )
