"""Many processes train one network: each takes its share of every batch, and gradients are added up.

`torchrun` starts the processes and restarts them when one is lost; nothing here launches.
A batch is the same as in a single process. It is cut into ``size x accumulate`` parts, of
which each process computes its own; every random stream of a part is named by the part, so
that N processes make the steps that one process makes with ``accumulate=N``, but for the
order in which numbers are added. Because all parameters are one flat array here, the
all-reduce of the gradient, which DistributedDataParallel does bucket by bucket, is a single
call at the end of the step; the loss rides along in its last element.

References
----------
S. Li et al. (2020). PyTorch Distributed: experiences on accelerating data parallel training.
"""

from __future__ import annotations

import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from glassnet.errors import DistributedError, GlassnetError, InvalidInputError
from glassnet.training.last_words import LastWords, first_line, in_words

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
# what torchrun tells each process
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
# seconds to wait for the other processes: at the start, and in every exchange
RENDEZVOUS_SECONDS, EXCHANGE_SECONDS = 120.0, 600.0


@dataclass(frozen=True)
class Group:
    """The processes that train one network together, as one of them sees them.

    Parameters
    ----------
    rank : int
        Of this process, from 0.
    size : int
        How many there are; 1: this process is alone, and nothing is exchanged.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process prints, draws and saves."""
        return self.rank == 0

    def share(self, n: int) -> slice:
        """Return which of a batch's ``n`` samples this process takes.

        Examples
        --------
        >>> [Group(rank, 3).share(7) for rank in range(3)]
        [slice(0, 3, None), slice(3, 5, None), slice(5, 7, None)]
        """
        least, more = divmod(n, self.size)
        start = self.rank * least + min(self.rank, more)
        return slice(start, start + least + (self.rank < more))

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes, in place.

        Raises
        ------
        DistributedError
            If another process is lost, or does not answer in time.
        """
        if self.size > 1:
            import torch.distributed as dist

            with _as_words(self):
                dist.all_reduce(tensor)

    def gather(self, value: Any) -> list[Any]:
        """Return the value of every process, by rank."""
        if self.size == 1:
            return [value]
        import torch.distributed as dist

        values: list[Any] = [None] * self.size
        with _as_words(self):
            dist.all_gather_object(values, value)
        return values

    def check_same(self, facts: Mapping[str, Any]) -> None:
        """Check that all processes say the same.

        Raises
        ------
        DistributedError
            On every process, naming the first fact that differs and who says what.
        """
        said = self.gather(dict(facts))
        for name in facts:
            values = [each.get(name) for each in said]
            if any(value != values[0] for value in values):
                told = ", ".join(f"rank {rank}: {value}" for rank, value in enumerate(values))
                raise DistributedError(f"The processes do not agree on {name} ({told}); they must run the same fit.")

    def agree(self, act: Callable[[], T]) -> T:
        """Return what ``act`` returns; where it fails on one process, all raise, naming it.

        Raises
        ------
        GlassnetError, OSError
            That of this process.
        DistributedError
            If it failed on another.

        Examples
        --------
        >>> Group().agree(lambda: 3)
        3
        """
        value: Any = None
        error: Exception | None = None
        try:
            value = act()
        except (GlassnetError, OSError) as failure:
            error = failure
        failures = self.gather(None if error is None else in_words(error))
        if error is not None:
            raise error
        for rank, failure in enumerate(failures):
            if failure is not None:
                raise DistributedError(f"Rank {self.rank} of {self.size} ends with rank {rank}, which had {failure}")
        return value


ALONE = Group()
# of the first process that failed, where several work together
_words: LastWords | None = None


def current() -> Group:
    """Return the group that this process has joined; `ALONE` where it has joined none."""
    dist = sys.modules.get("torch.distributed")  # who has not imported it has joined nothing
    if dist is None or not (dist.is_available() and dist.is_initialized()):
        return ALONE
    return Group(dist.get_rank(), dist.get_world_size())


def is_launched() -> bool:
    """Return whether torchrun has started this process."""
    return "WORLD_SIZE" in os.environ


def restarts() -> int:
    """Return how often torchrun has restarted the processes after a fault."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


@contextmanager
def joined() -> Iterator[Group]:
    """For a while, be one of the processes that torchrun has started; `ALONE` where it has not.

    gloo connects processes on CPUs, NCCL those on GPUs. ``GLASSNET_RENDEZVOUS_SECONDS`` and
    ``GLASSNET_EXCHANGE_SECONDS`` say how long to wait for the others.

    Raises
    ------
    DistributedError
        If a variable that torchrun sets is missing, or the others do not come in time.
    """
    if not is_launched():
        yield ALONE
        return
    import torch
    import torch.distributed as dist

    _check_variables()
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    if backend == "nccl":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    global _words
    _words = _connect(backend)
    try:
        yield current()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # not where a generator is only forgotten
        _words.leave(error)
        raise
    finally:
        dist.destroy_process_group()
        _words = None


def _check_variables() -> None:
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise DistributedError(
            f"{', '.join(missing)} not set. Start the processes with torchrun, which sets {', '.join(VARIABLES)}."
        )


def _connect(backend: str) -> LastWords:
    """Meet the other processes, in the time that is allowed; return where they leave their last words."""
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    wait, start = _seconds("GLASSNET_RENDEZVOUS_SECONDS", RENDEZVOUS_SECONDS), time.monotonic()
    exchange = _seconds("GLASSNET_EXCHANGE_SECONDS", EXCHANGE_SECONDS)
    try:
        store, rank, size = next(rendezvous("env://", timeout=timedelta(seconds=wait)))
        store = PrefixStore(f"glassnet-{restarts()}", store)  # a restart must not meet the addresses of the dead
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=timedelta(seconds=exchange))
    except (OSError, RuntimeError) as error:
        waited = time.monotonic() - start
        raise DistributedError(
            f"Rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']} could not meet the others at "
            f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} in {waited:.0f} s "
            f"(GLASSNET_RENDEZVOUS_SECONDS={wait:g}): {first_line(error)}"
        ) from error
    return LastWords(store, rank)


@contextmanager
def _as_words(group: Group) -> Iterator[None]:
    """Say in words that an exchange failed."""
    start = time.monotonic()
    try:
        yield
    except RuntimeError as error:
        waited, told = time.monotonic() - start, _words.read() if _words is not None else ""
        raise DistributedError(
            f"Rank {group.rank} of {group.size} lost another process, or waited for it in vain ({waited:.0f} s): "
            f"{told or first_line(error)}"
        ) from error


def _seconds(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    try:
        seconds = float(text) if text else default
    except ValueError:
        seconds = -1.0
    if not seconds > 0:
        raise InvalidInputError(f"{variable} must be a number of seconds above 0, got {text!r}.")
    return seconds


def check_shared(engine: Any, batch_size: int | None = None) -> None:
    """Check that the processes of this group can share an engine's batches.

    Raises
    ------
    InvalidInputError
        If the engine knows one process only, or a batch has fewer samples than there are processes.
    """
    size = current().size
    if size > 1 and not hasattr(engine, "group"):
        raise InvalidInputError(f"The engine {engine.name!r} works in one process, but {size} were started.")
    if batch_size is not None and batch_size < size:
        raise InvalidInputError(f"batch_size={batch_size} is smaller than the number of processes, {size}.")


def check_same_fit(engine: Any, network: Any, arrays: Mapping[str, np.ndarray], data: tuple) -> None:
    """Check that the processes of this group have the same code, network, settings and data.

    Parameters
    ----------
    engine : Engine
    network : object
        Its words say what it is; the files of its parts' classes are part of the code.
    arrays : dict of str to ndarray
        Of the state at the start.
    data : tuple of ndarray or None
        What is learned from; or what has ``parts``, arrays that stand for it.

    Raises
    ------
    DistributedError
        On every process; see `Group.check_same`.
    """
    if engine.group.size > 1:
        engine.group.check_same(
            {
                **code_of(network),
                "the network": repr(network),
                "the precision": getattr(engine, "precision", "float32"),
                "the solver": engine.solver,
                "the data": fingerprint(*(part for each in data for part in getattr(each, "parts", (each,)))),
                "the weights at the start": fingerprint(*arrays.values()),
            }
        )


def code_of(network: Any) -> dict[str, str]:
    """Return what says which code runs: versions, and checksums of glassnet's files and of those a network is from.

    Examples
    --------
    >>> list(code_of(None))
    ['the version of glassnet', 'the version of torch', 'the code of glassnet', 'the code of the network']
    """
    own = sorted(Path(__file__).parents[1].rglob("*.py"))
    modules = network.modules() if hasattr(network, "modules") else [network]
    homes = {sys.modules.get(kind.__module__) for part in modules for kind in type(part).__mro__}
    found = {str(path) for home in homes if (path := getattr(home, "__file__", None))}
    return {
        "the version of glassnet": version("glassnet"),
        "the version of torch": version("torch"),
        "the code of glassnet": _checksum(own),
        "the code of the network": _checksum(map(Path, sorted(found))),
    }


def _checksum(paths: Iterable[Path]) -> str:
    return fingerprint(*(np.frombuffer(path.read_bytes(), np.uint8) for path in paths))


def fingerprint(*arrays: np.ndarray | None) -> str:
    """Return a checksum of arrays, by which processes find out that their data differ.

    Examples
    --------
    >>> fingerprint(np.arange(3), None) == fingerprint(np.arange(3))
    True
    >>> fingerprint(np.arange(3)) == fingerprint(np.arange(4))
    False
    """
    crc = 0
    for array in arrays:
        if array is not None:
            crc = zlib.crc32(f"{array.dtype}{array.shape}".encode(), crc)
            crc = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"
