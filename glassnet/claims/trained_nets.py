"""Networks that the documented recipes have trained: claims evaluate their weights again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from glassnet.training.run_folder import load_run
from glassnet.training.trained import load_trained, trained_names

RUNS = Path("runs")


def find_trained(name: str) -> Any | None:
    """Return the network that comes with glassnet under this name, or that its recipe has left in ``runs/NAME``.

    None if there is neither.
    """
    if name in trained_names():
        return load_trained(name)
    return load_run(RUNS / name) if (RUNS / name).is_dir() else None


def not_there(*names: str) -> str:
    """Return why nothing can be decided without the weights of one of these networks."""
    places = " or ".join(f"runs/{name}" for name in names)
    return f"The weights are not there: they take the recipe of the docs, which leaves its run in {places}."
