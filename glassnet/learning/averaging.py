"""The mean of the weights at the end of the last epochs, which predicts better than the last weights.

A. Vaswani et al. (2017), section 6.1: the published models are the mean of their last
checkpoints. The idea is Polyak's and Ruppert's: late in a descent the weights go round the
minimum, and their mean lies nearer to it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glassnet.training.batches import Batches
from glassnet.training.state import Engine, TrainingState

AVERAGE, COUNT = "average", "n_averaged"


class Averaging:
    """Makes the steps of another engine, and at the end of the last epochs takes the weights into a mean.

    The mean is part of the state's arrays, so that checkpoints hold it: "average", of the shape
    of "parameters", and "n_averaged", how many weights it is the mean of.

    Parameters
    ----------
    engine : Engine
    first_epoch : int
        The first epoch, counted from 0, whose end counts.
    """

    def __init__(self, engine: Engine, first_epoch: int):
        self.engine, self.first_epoch, self.name = engine, first_epoch, engine.name

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch, up to the end of an epoch at a time; see `glassnet.training.state.Engine`."""
        here, losses = replace(state), np.empty(len(batches))
        done = 0
        while done < len(batches):
            part = slice(done, done + state.steps_per_epoch - here.position)
            piece = Batches(batches.indices, batches.starts[part], batches.stops[part])
            losses[part] = self.engine.run(here, piece)
            here.move(len(piece))
            done += len(piece)
            if here.position == 0:
                end_epoch(state.arrays, counts=here.epoch > self.first_epoch)
        return losses


def initial_average(parameters: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean of no weights, as arrays of a state."""
    return {AVERAGE: np.zeros_like(parameters), COUNT: np.zeros(1, np.int64)}


def without_average(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays with the mean in the place of the weights, where there is one, and not beside them.

    Examples
    --------
    >>> arrays = {"parameters": np.ones(2), "average": np.zeros(2), "n_averaged": np.array([3])}
    >>> without_average(arrays)
    {'parameters': array([0., 0.])}
    """
    rest = {name: array for name, array in arrays.items() if name not in (AVERAGE, COUNT)}
    return rest | ({"parameters": arrays[AVERAGE]} if COUNT in arrays and arrays[COUNT][0] else {})


def end_epoch(arrays: dict[str, np.ndarray], counts: bool) -> None:
    """Take the weights of a state into its mean, in place; or empty the mean if this epoch does not count.

    Examples
    --------
    >>> arrays = {"parameters": np.array([1.0, 4.0])}
    >>> arrays |= initial_average(arrays["parameters"])
    >>> end_epoch(arrays, counts=True)
    >>> arrays["parameters"][:] = [3.0, 4.0]
    >>> end_epoch(arrays, counts=True)
    >>> arrays["average"].tolist(), arrays["n_averaged"].tolist()
    ([2.0, 4.0], [2])
    """
    n = arrays[COUNT][0] = arrays[COUNT][0] + 1 if counts else 0
    if n:
        arrays[AVERAGE] *= 1 - 1 / n
        arrays[AVERAGE] += arrays["parameters"] / n
