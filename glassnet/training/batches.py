"""Which samples each step sees: a pure function of seed, epoch and position.

No generator state is kept. The order of an epoch is a NumPy permutation drawn from the
stream (seed, "shuffle", epoch) and handed to every engine, so all engines see the same
batches and a run can resume in the middle of an epoch.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from glassnet.seeds import generator

if TYPE_CHECKING:
    from glassnet.training.state import TrainingState

# a plan of many steps is cut so that its index array stays below this length
MAX_INDICES = 1 << 20


class Batches(NamedTuple):
    """The batches of consecutive steps.

    Step i sees the samples ``indices[starts[i]:stops[i]]``. When the order never
    changes, all epochs share one stretch of ``indices``.
    """

    indices: np.ndarray  # (n_indices,) int64
    starts: np.ndarray  # (n_steps,) int64
    stops: np.ndarray  # (n_steps,) int64

    def __len__(self) -> int:
        return len(self.starts)


@lru_cache(maxsize=8)
def epoch_order(seed: int, epoch: int, n_samples: int, shuffle: bool) -> np.ndarray:
    """Return the order in which an epoch visits its samples, int64 of shape (n_samples,).

    Examples
    --------
    >>> epoch_order(0, 0, 4, False).tolist()
    [0, 1, 2, 3]
    """
    return generator(seed, "shuffle", epoch).permutation(n_samples) if shuffle else np.arange(n_samples)


def plan(state: TrainingState, n_steps: int) -> Batches:
    """Return the batches of at most ``n_steps`` next steps.

    Fewer are planned when their index array would grow beyond `MAX_INDICES`.
    """
    shuffled = state.shuffle and state.batch_size < state.n_samples
    if not shuffled:
        orders = [epoch_order(0, 0, state.n_samples, False)]
        place = (state.position + np.arange(n_steps)) % state.steps_per_epoch
        epoch_starts: np.ndarray | int = 0
    else:
        last = max(1, MAX_INDICES // state.n_samples) * state.steps_per_epoch
        place = state.position + np.arange(min(n_steps, last - state.position))
        n_epochs = -(-int(place[-1] + 1) // state.steps_per_epoch)
        epoch_of_step, place = np.divmod(place, state.steps_per_epoch)
        own = getattr(state.engine, "epoch_order", None)  # of data that are read best in an order of their own
        order = own or partial(epoch_order, n_samples=state.n_samples, shuffle=True)
        orders = [order(state.seed, state.epoch + e) for e in range(n_epochs)]
        epoch_starts = epoch_of_step * state.n_samples
    starts = place * state.batch_size
    stops = np.minimum(starts + state.batch_size, state.n_samples)
    indices = orders[0] if len(orders) == 1 else np.concatenate(orders)
    return Batches(indices, starts + epoch_starts, stops + epoch_starts)
