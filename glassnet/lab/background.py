"""What takes seconds: computed in one background thread for all visitors, with progress, and kept.

A visitor asks for a result by its key and goes on; what nobody waits for any more when its turn
comes is left out. In the thread, matrix products and sums take one thread, so that the visitors'
own work goes on beside them and a result does not depend on the number of cores.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from queue import SimpleQueue
from typing import Any
from weakref import WeakSet

from threadpoolctl import threadpool_limits


class Job:
    """One result on its way.

    Attributes
    ----------
    share : float
        How far it is, 0 to 1.
    result : object
        None until it is there.
    error : Exception or None
        Why it will never be there.
    """

    def __init__(self) -> None:
        self.share: float = 0.0
        self.result: Any = None
        self.error: Exception | None = None
        self.visitors: WeakSet[Any] = WeakSet()
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether there is a result or an error."""
        return self._over.is_set()

    def wait(self) -> None:
        """Wait until it is over."""
        self._over.wait()

    def run(self, compute: Callable[[Callable[[float], None]], Any]) -> None:
        """Compute the result; ``compute`` is given what takes the share that is done."""
        try:
            self.result = compute(self._progress)
        except Exception as error:
            self.error = error
        self.share = 1.0
        self._over.set()

    def _progress(self, share: float) -> None:
        self.share = share


class Background:
    """Results by key.

    Parameters
    ----------
    compute : callable
        (key, progress) -> result; ``progress`` takes the share that is done.
    n_kept : int
        So many of the newest results are kept.

    Examples
    --------
    >>> squares = Background(lambda key, progress: key**2)
    >>> class Visitor: pass
    >>> visitor = Visitor()
    >>> job = squares.job(3, visitor)
    >>> job.wait()
    >>> job.result
    9
    """

    def __init__(self, compute: Callable[[Any, Callable[[float], None]], Any], n_kept: int = 8):
        self._compute, self._n_kept = compute, n_kept
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()
        self._queue: SimpleQueue[tuple[Hashable, Job]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def job(self, key: Hashable, visitor: object) -> Job:
        """Return the job for a key; a failed one is tried again. It is made as long as ``visitor`` lives."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or job.error is not None:
                job = self._jobs[key] = Job()
                self._queue.put((key, job))
            job.visitors.add(visitor)
            self._jobs.move_to_end(key)
            while len(self._jobs) > self._n_kept:
                self._jobs.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="background", daemon=True)
                self._thread.start()
        return job

    def _work(self) -> None:
        with threadpool_limits(1):
            while True:
                key, job = self._queue.get()
                if self._is_wanted(key, job):
                    job.run(lambda progress, key=key: self._compute(key, progress))

    def _is_wanted(self, key: Hashable, job: Job) -> bool:
        """Return whether anybody waits; forget the job if not."""
        with self._lock:
            if job.visitors:
                return True
            if self._jobs.get(key) is job:
                del self._jobs[key]
            return False
