"""What every exhibit of the table must hold, whatever it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from glassnet.lab.bundle import module_of
from glassnet.lab.exhibit import Exhibit
from glassnet.registry import EXHIBITS, resolve

N_STEPS = 5
N_STEPS_LATER = 200
LARGEST = 300_000  # bytes of a frame


@pytest.fixture(scope="module", params=list(EXHIBITS))
def exhibit(request) -> Exhibit:
    """Each exhibit as it opens, a few steps on where it trains."""
    exhibit_class = resolve(EXHIBITS, "exhibit", request.param)
    made = exhibit_class(exhibit_class.Settings())
    made.finish()
    if made.history is not None:
        made.step(N_STEPS)
    return made


def test_every_setting_is_bounded(exhibit):
    """Numbers and texts have limits, lists a length, names a list of those allowed."""
    for name, field in exhibit.Settings.model_json_schema()["properties"].items():
        assert set(field) & {"enum", "const"} or field["type"] in ("boolean", "integer", "number", "string", "array")
        bound = {"integer": "maximum", "number": "maximum", "string": "maxLength", "array": "maxItems"}
        kind = field.get("type")
        if kind in bound and not {"enum", "const"} & set(field):
            assert bound[kind] in field, f"{name} has no limit"


def test_views_and_questions_are_declared(exhibit):
    assert exhibit.views <= set(exhibit.Settings.model_fields)
    assert exhibit.export in ("replay", "figure")
    assert module_of(next(n for n, t in EXHIBITS.items() if t.endswith(f":{type(exhibit).__name__}"))).is_file()


def test_frames_are_small_and_of_the_types_that_travel(exhibit):
    scene, frame = exhibit.scene(), exhibit.frame()
    for array in [*scene.arrays.values(), *frame.arrays.values()]:
        assert array.dtype in (np.uint8, np.float32)
    assert not set(scene.arrays) & set(frame.arrays)
    assert sum(array.nbytes for array in frame.arrays.values()) < LARGEST


def test_the_same_settings_and_steps_show_the_same(exhibit):
    again = type(exhibit)(exhibit.settings)
    again.finish()
    if exhibit.history is not None:
        again.step(N_STEPS)
    assert again.frame().values == exhibit.frame().values
    for name, array in again.frame().arrays.items():
        np.testing.assert_array_equal(array, exhibit.frame().arrays[name])


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from numbers_in(part)
    elif isinstance(value, int | float):
        yield float(value)


def test_the_script_runs_and_prints_the_numbers_of_the_page(exhibit):
    """Every number that it prints is, rounded as printed, one that the page is given, now or where the run ends."""
    run = subprocess.run([sys.executable, "-c", exhibit.python()], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    shown = numbers_on_page(exhibit)
    if exhibit.history is not None:
        later = type(exhibit)(exhibit.settings)
        later.finish()
        later.step(N_STEPS_LATER)
        shown += [exhibit.history.step, *numbers_on_page(later)]
    known = np.array(shown, float)
    printed = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?%?(?![\w])", run.stdout)
    assert printed
    for text in printed:
        assert np.abs(known - number(text)).min() <= 0.50001 * last_digit(text), f"{text!r} of {run.stdout!r}"


def numbers_on_page(exhibit: Exhibit) -> list[float]:
    scene, frame = exhibit.scene(), exhibit.frame()
    shown = [*numbers_in([scene.values, frame.values, exhibit.settings.model_dump()])]
    for array in [*scene.arrays.values(), *frame.arrays.values()]:
        shown += array.ravel().tolist()
    return shown


def number(text: str) -> float:
    return float(text.rstrip("%")) / (100 if text.endswith("%") else 1)


def last_digit(text: str) -> float:
    """Return what one in the last printed digit is worth."""
    mantissa, _, power = text.rstrip("%").partition("e")
    return 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]) - (2 if text.endswith("%") else 0))
