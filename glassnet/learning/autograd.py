"""The third engine: steps of any torch module, differentiated by autograd.

The first engine is compiled for small networks, the second has backpropagation written out
for dense ones; this one asks torch for the gradient of whatever the module computes. The
optimizers are the same (`glassnet.learning.optimizers`), and so is the state: parameters,
their optimizer slots and running statistics are arrays that every step changes in place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.dropout import Dropout, draws_globally, dropout_streams, global_stream
from glassnet.learning.module_arrays import ModuleArrays
from glassnet.learning.optimizers import SLOTS, Solver, soft_threshold
from glassnet.learning.synchronized import SynchronizedBatchNorm
from glassnet.seeds import torch_generator
from glassnet.training.batches import Batches, plan
from glassnet.training.distributed import ALONE, Group
from glassnet.training.state import TrainingState

PRECISIONS = ("float32", "bfloat16", "auto")
DEVICES = ("cpu", "cuda", "auto")


class Objective(Protocol):
    """What a module is to learn: the loss of some samples."""

    def total(self, module: nn.Module, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return the sum of the losses of the samples ``rows``; random choices are drawn from ``generator``."""
        ...

    def weight(self, rows: Tensor) -> float:
        """Return what the sum over the batch ``rows`` is divided by."""
        ...


class AutogradEngine:
    """Makes the steps of any module.

    Parameters
    ----------
    home : ModuleArrays
        The module, bound to the arrays of the state.
    solver : Solver
        Its penalties are for parameters with more than one dimension. Not "lbfgs".
    objective : Objective
    accumulate : int
        Each batch is taken in so many parts, whose gradients are added: less memory, the same
        step, except that batch normalization sees the parts.
    precision : {"float32", "float64", "bfloat16"}
        What the module computes in. "bfloat16" multiplies in it, with images laid out channels last;
        parameters, optimizer and loss stay float32.
    group : Group
        The processes that share the work: each takes its share of every batch. One process with
        ``accumulate=N`` makes the steps of N processes.

    Raises
    ------
    UnknownNameError
        If the solver is another.
    """

    name = "autograd"

    def __init__(
        self,
        home: ModuleArrays,
        solver: Solver,
        objective: Objective,
        *,
        accumulate: int = 1,
        precision: str = "float32",
        group: Group = ALONE,
    ):
        if solver.name not in SLOTS:
            raise UnknownNameError("solver of a module", solver.name, SLOTS)
        self.home, self.solver, self.objective = home, solver, objective
        self.accumulate, self.precision, self.group = accumulate, precision, group
        layers = dict(home.module.named_modules())
        self._dropouts = {address: layer for address, layer in layers.items() if isinstance(layer, Dropout)}
        self._borrows = draws_globally(home.module)
        self._is_synchronized = any(isinstance(layer, SynchronizedBatchNorm) for layer in layers.values())
        self._statistics = [
            name for name, t in home.tensors.items() if name.startswith("buffer:") and t.is_floating_point()
        ]

    @property
    def counts(self) -> tuple[int, int] | None:
        """How many training samples were classified rightly, of how many, so far; None where there are no classes."""
        return getattr(self.objective, "counts", None)

    @property
    def epoch_order(self) -> Callable[[int, int], np.ndarray] | None:
        """(seed, epoch) -> the order in which an epoch visits the samples, where the objective wants one of its own."""
        return getattr(self.objective, "epoch_order", None)

    def run(self, state: TrainingState, batches: Batches) -> np.ndarray:
        """Make one step per batch; see `glassnet.training.state.Engine`."""
        indices = torch.from_numpy(batches.indices)
        rates = self.solver.rates(state.step, len(batches)).tolist()
        losses = torch.empty(len(batches), dtype=torch.float64)
        self.home.push()
        self.home.module.train()
        rows = [indices[start:stop] for start, stop in zip(batches.starts, batches.stops, strict=True)]
        for i, batch in enumerate(rows):
            self._announce(state, rows[i : i + 2], i + 1)
            weight = self.objective.weight(batch)
            losses[i] = self._gradient(batch, weight, state.seed, state.step + i)
            self._descend(weight, state.step + i, rates[i])
        self.home.pull()
        return losses.numpy()

    def _announce(self, state: TrainingState, rows: list[Tensor], n_steps: int) -> None:
        """Tell an objective that fetches its samples what it is asked for after the first part of this step.

        ``rows`` are those of this step and, where it is known, of the next, which is ``n_steps`` ahead.
        """
        if getattr(self.objective, "fetches", False):
            if len(rows) == 1:
                ahead = replace(state)
                ahead.move(n_steps)
                indices, starts, stops = plan(ahead, 1)
                rows = [*rows, torch.from_numpy(indices[starts[0] : stops[0]])]
            parts = [*self._parts(rows[0])[1:], *self._parts(rows[1])[:1]]
            self.objective.announced = [part for _, part in parts]  # type: ignore[attr-defined]

    def _gradient(self, rows: Tensor, weight: float, seed: int, step: int) -> float:
        """Write the gradient of a batch; return its mean loss."""
        self.home.begin()
        for number, part in self._parts(rows):
            self._add_gradient(part, number, weight, seed, step)
        self.home.add_up(self.group)
        self._average_statistics()
        return self.home.gradient_and_loss[-1].item()

    def _parts(self, rows: Tensor) -> list[tuple[int, Tensor]]:
        """Return this process's parts of a batch, each with its number in the whole batch."""
        first, n_parts = self.group.rank * self.accumulate, self.group.size * self.accumulate
        parts = list(enumerate(rows.tensor_split(n_parts)))[first : first + self.accumulate]
        together = self._is_synchronized or self.home.is_sharded  # then all go through the module equally often
        return [(number, part) for number, part in parts if len(part) or together]

    def _add_gradient(self, part: Tensor, number: int, weight: float, seed: int, step: int) -> None:
        """Add the gradient and the loss of a part; its number names its random streams."""
        generator = torch_generator(seed, "batch", step, number)
        with ExitStack() as stack:
            stack.enter_context(dropout_streams(self._dropouts, seed, step, number))
            if self._borrows:
                stack.enter_context(global_stream(seed, "dropout", step, number))
            with torch.autocast(self.home.device, torch.bfloat16, enabled=self.precision == "bfloat16"):
                total = self.objective.total(self.home.module, part, generator) / weight
            total.backward()
        self.home.gradient_and_loss[-1] += total.detach()

    def _average_statistics(self) -> None:
        """Average running statistics, which each process has of its own share."""
        if self.group.size > 1 and self._statistics:
            flat = torch.cat([self.home.tensors[name].reshape(-1) for name in self._statistics])
            self.group.add_up(flat.div_(self.group.size))
            start = 0
            for name in self._statistics:
                tensor = self.home.tensors[name]
                tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
                start += tensor.numel()

    @torch.no_grad()
    def _descend(self, weight: float, step: int, rate: float) -> None:
        """Make the optimizer's step, with the penalties; those divided by n see the batch's weight."""
        solver, parameters = self.solver, self.home.parameters
        decayed = parameters[: self.home.n_decayed]
        if solver.alpha and solver.name == "adamw":
            decayed.mul_(1 - rate * solver.alpha)
        elif solver.alpha:
            self.home.gradient[: self.home.n_decayed].add_(decayed, alpha=solver.alpha / weight)
        norm = None if solver.clip_norm is None else self.home.norm(self.group)
        solver.step(parameters, self.home.gradient, self.home.tensors, step + 1, rate, norm)
        if solver.l1:
            soft_threshold(decayed, rate * solver.l1 / weight)
        self.home.apply()


def resolve_device(device: str) -> str:
    """Return "cpu" or "cuda"; "auto" is "cuda" where there is one.

    Raises
    ------
    UnknownNameError, InvalidInputError
        If the name is another, or there is no such device.
    """
    if device not in DEVICES:
        raise UnknownNameError("device", device, DEVICES)
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidInputError(f"device='cuda' was asked for, but this torch ({torch.__version__}) finds none.")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def resolve_precision(precision: str, device: str, known: Sequence[str] = PRECISIONS) -> str:
    """Return one of the ``known``; "auto" is "bfloat16" where the machine computes it clearly faster, else "float32".

    Raises
    ------
    UnknownNameError
        If the name is another.
    """
    if precision not in known:
        raise UnknownNameError("precision", precision, known)
    return _faster_precision(device) if precision == "auto" else precision


@lru_cache(maxsize=2)
def _faster_precision(device: str) -> str:
    """Time a step of a small convolution in both precisions, once in a process."""
    seconds = {precision: _probe(device, precision == "bfloat16") for precision in ("float32", "bfloat16")}
    return "bfloat16" if seconds["bfloat16"] < 0.8 * seconds["float32"] else "float32"


def _probe(device: str, bfloat16: bool) -> float:
    """Return the shortest of five times, in seconds."""
    layer = nn.Conv2d(32, 32, 3, padding=1).to(device)
    form = torch.channels_last if bfloat16 else torch.contiguous_format
    images = torch.zeros(32, 32, 16, 16, device=device, requires_grad=True).contiguous(memory_format=form)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=bfloat16):
            loss = layer(images).relu().float().sum()
        torch.autograd.grad(loss, [*layer.parameters()])[0].sum().item()
        times.append(time.perf_counter() - start)
    return min(times[1:])
