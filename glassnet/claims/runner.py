"""Claims are found, run one after another, and kept: an interrupted run goes on where it was.

A finished claim is one record, plain data that JSON holds. While a run is under way its
records lie in a folder of their own; they count only for the same code, and are removed
when the run is through.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import glassnet
from glassnet.claims.claim import Claim, Scale
from glassnet.data.home import cache_home
from glassnet.errors import DataNotFoundError, MissingDependencyError, UnknownNameError
from glassnet.files import write_whole
from glassnet.registry import CLAIMS, resolve

LIBRARIES = ("glassnet", "numpy", "scipy", "scikit-learn", "torch", "numba")

Record = dict[str, Any]


def check_names(names: Iterable[str]) -> None:
    """Raise `UnknownNameError` for a name that no claim has."""
    for name in names:
        if name not in CLAIMS:
            raise UnknownNameError("claim", name, CLAIMS)


def run_claim(name: str, scale: Scale | None = None) -> Claim:
    """Run one experiment.

    Parameters
    ----------
    name : str
        A key of `glassnet.registry.CLAIMS`.
    scale : Scale, optional
        Quick if None.

    Returns
    -------
    Claim

    Raises
    ------
    UnknownNameError
        If there is no such claim.
    DataNotFoundError, MissingDependencyError
        If it needs data or a library that are not there.
    """
    experiment = resolve(CLAIMS, "claim", name)
    sentence, _, _ = (experiment.__doc__ or "").partition("\n")
    return replace(experiment(scale or Scale()), sentence=sentence)


def run_claims(
    names: Iterable[str],
    *,
    full: bool = False,
    folder: Path | None = None,
    tell: Callable[[Record], None] = lambda record: None,
) -> list[Record]:
    """Run claims one after another, taking up an interrupted run where there is one.

    Parameters
    ----------
    names : iterable of str
        Keys of `glassnet.registry.CLAIMS`.
    full : bool
        The sources' scale instead of the quick one.
    folder : Path, optional
        Where finished claims are kept until all are through. Default: below the data home.
    tell : callable
        Called with each record as it comes.

    Returns
    -------
    list of dict
        A record per claim: what `record_of` gives, or, where data or a library are missing,
        ``name``, ``scale`` and ``missing``, which says what.

    Raises
    ------
    UnknownNameError
        If a name is unknown, before anything is run.
    """
    names = list(dict.fromkeys(names))
    check_names(names)
    kept = (folder or cache_home() / "claims") / f"{Scale(full).name}-{code_hash()[:12]}"
    records = []
    for name in names:
        records.append(_kept_or_run(name, Scale(full, kept / name)))
        tell(records[-1])
    for name in names:
        shutil.rmtree(kept / name, ignore_errors=True)
    with suppress(OSError):
        kept.rmdir()  # where no other run has records in it
    return records


def _kept_or_run(name: str, scale: Scale) -> Record:
    """Return a claim's record from its folder, or run it and put the record there."""
    assert scale.folder is not None
    path = scale.folder / "record.json"
    if path.exists():
        return json.loads(path.read_text())
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        claim = run_claim(name, scale)
    except (DataNotFoundError, MissingDependencyError) as error:
        return {"name": name, "scale": scale.name, "missing": str(error)}
    seconds = time.perf_counter() - start, time.process_time() - cpu_start
    record = record_of(name, claim, scale.name, *seconds)
    write_whole(path, json.dumps(record).encode())
    return record


def record_of(name: str, claim: Claim, scale: str, seconds: float, cpu_seconds: float) -> Record:
    """Return everything there is to say about a finished claim, as data that JSON holds.

    ``seconds`` are by the clock, ``cpu_seconds`` of processor time over all threads: they
    tell the size of the work where others use the machine too.
    """
    measured = [
        {"what": m.what, "value": float(m.value), "expected": m.expected, "holds": m.holds, "spread": m.spread}
        for m in claim.measured
    ]
    return {
        "name": name,
        "scale": scale,
        **asdict(claim),
        "measured": measured,
        "seeds": [int(seed) for seed in claim.seeds],
        "verdict": claim.verdict,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "command": f"glassnet claims {name} --{scale}",
        "versions": {library: version(library) for library in LIBRARIES} | {"python": platform.python_version()},
        "cores": os.cpu_count(),
    }


def as_expected(record: Record) -> bool:
    """Whether a claim came out as expected; one that could not run said nothing."""
    return "missing" in record or record["verdict"] == record["expected_verdict"]


@cache
def code_hash() -> str:
    """Return the SHA-256 of all of glassnet's Python files: a kept record is of this code or of none."""
    root, digest = Path(import_module("glassnet").__path__[0]), hashlib.sha256(glassnet.__version__.encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
