"""What a training command reached, as one JSON file: the figures in the docs come from such files.

A record says all that is needed to run it again and to compare: the command, versions of
the libraries, hash of the data, seed, threads, seconds (by the clock, and of processor time
over all threads), metrics, and the most memory that was held.
"""

from __future__ import annotations

import json
import os
import resource
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from glassnet.files import write_whole
from glassnet.training.run_folder import versions

# options that say where files go
PLACES = ("--out", "--record", "--jsonl", "--tensorboard", "--picture")


def recipe_record(
    command: str, data_sha256: str, seed: int, seconds: float, metrics: dict[str, Any], **also: Any
) -> dict[str, Any]:
    """Return the record of a training run that this process has made.

    Parameters
    ----------
    command : str
        See `command_of`.
    data_sha256 : str
        Of the data set; see `glassnet.data.Dataset.sha256`.
    seed : int
    seconds : float
        Of the run, by the clock.
    metrics : dict
        Name -> number.
    **also
        Whatever else belongs to it, such as the parameters of the network.

    Returns
    -------
    dict
        Ready for JSON.

    Examples
    --------
    >>> record = recipe_record("glassnet train mlp --data digits", "0f3a", 0, 2.5, {"test_accuracy": 0.98})
    >>> list(record)[:6]
    ['command', 'versions', 'data_sha256', 'seed', 'threads', 'cores']
    """
    return {
        "command": command,
        "versions": versions(),
        "data_sha256": data_sha256,
        "seed": seed,
        "threads": _threads(),
        "cores": os.cpu_count(),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "metrics": metrics,
        "peak_memory_mb": round(peak_memory() / 1e6),
        **also,
    }


def command_of(arguments: list[str]) -> str:
    """Return the command that makes this run again: what was typed, but for where its files went.

    Parameters
    ----------
    arguments : list of str
        Of ``glassnet``, as in ``sys.argv[1:]``.

    Examples
    --------
    >>> command_of(["train", "mlp", "--data", "digits", "--out", "elsewhere/digits", "--resume"])
    'glassnet train mlp --data digits'
    """
    kept, rest = [], iter(arguments)
    for argument in rest:
        if argument in PLACES:
            next(rest, None)
        elif argument.split("=")[0] not in (*PLACES, "--resume"):
            kept.append(argument)
    processes = int(os.environ.get("WORLD_SIZE", 1))
    start = ["glassnet"] if processes == 1 else ["torchrun", f"--nproc-per-node={processes}", "-m", "glassnet"]
    return shlex.join([*start, *kept])


def write_record(path: str | Path, record: dict[str, Any]) -> Path:
    """Write a record as JSON, in place of the one that is there."""
    return write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False, default=repr) + "\n").encode())


def peak_memory() -> int:
    """Return the most memory, in bytes, that this process or one that it started has held."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _threads() -> int:
    """Return how many threads torch's matrix products take."""
    import torch

    return torch.get_num_threads()
