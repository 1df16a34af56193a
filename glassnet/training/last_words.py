"""What a process that fails tells the others, so that every one of them names the cause.

A process leaves its words in the store through which all have met, before it lets go of the
connections; the others notice that these break, and look into the store.
"""

from __future__ import annotations

import signal
import threading
from typing import Any

from glassnet.errors import DistributedError

KEY = "last words"


class LastWords:
    """The words of the first process that failed.

    Parameters
    ----------
    store : torch.distributed.Store
    rank : int
        Of this process.
    """

    def __init__(self, store: Any, rank: int):
        self._store, self._rank = store, rank

    def leave(self, error: BaseException) -> None:
        """Tell the others why this process ends; who ends well, or because another did, has nothing to tell."""
        if isinstance(error, SystemExit) and not error.code:
            return
        _outlive_the_others()
        if not isinstance(error, DistributedError):
            self._try(lambda: self._store.compare_set(KEY, "", f"rank {self._rank}: {in_words(error)}"))

    def read(self) -> str:
        """Return what the first that failed has told; nothing, if it was killed."""
        told = self._try(lambda: self._store.get(KEY).decode() if self._store.check([KEY]) else "")
        return told or ""

    def _try(self, act: Any) -> Any:
        try:
            return act()
        except RuntimeError:  # the store has gone with the process that held it
            return None


def in_words(error: BaseException) -> str:
    """Return the kind of an error and the first line of what it says.

    Examples
    --------
    >>> in_words(OSError(28, "No space left on device"))
    'OSError: [Errno 28] No space left on device'
    """
    return f"{type(error).__name__}: {first_line(error)}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _outlive_the_others() -> None:
    """Take no notice of the SIGTERM that torchrun sends when another has ended: this one ends by itself, with words."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
