"""The exhibit that opens any network: its layers, its pictures, and what the command line gives it."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest
import torch

from glassnet.cli import lab as command
from glassnet.errors import DataNotFoundError, GlassnetError, InvalidInputError
from glassnet.lab.exhibits.model import ModelExhibit, ModelSettings
from glassnet.plots.inspection import INSPECTIONS

FILE = """
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))
"""


@pytest.fixture
def own(tmp_path, monkeypatch) -> type[ModelExhibit]:
    """The exhibit with a network of one's own in it."""
    monkeypatch.setattr(ModelExhibit, "opened", None)
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    command._open(f"{file}:net", None, ["2x3x8x8"], False, 3)
    return ModelExhibit


def test_every_picture_of_an_inspection_can_be_chosen():
    assert set(ModelSettings.model_json_schema()["properties"]["picture"]["enum"]) == set(INSPECTIONS)


def test_the_example_is_the_lenet_that_comes_trained():
    values = ModelExhibit(ModelSettings()).frame().values
    assert values["isExample"]
    assert values["parameters"] == 61706
    assert [row["parameters"] for row in values["layers"] if row["address"] == "c3"] == [16 * 6 * 25 + 16]


def test_a_network_of_ones_own_shows_its_layers(own):
    exhibit = own(ModelSettings(picture="filters"))
    values = exhibit.frame().values
    n_conv, n_linear = 4 * 3 * 9 + 4, 144 * 5 + 5
    assert values["parameters"] == n_conv + 8 + n_linear
    assert [(row["kind"], row["shape"]) for row in values["layers"]] == [
        ("Conv2d", [1, 4, 6, 6]), ("BatchNorm2d", [1, 4, 6, 6]), ("ReLU", [1, 4, 6, 6]),
        ("Flatten", [1, 144]), ("Linear", [1, 5]),
    ]  # fmt: skip
    scene = exhibit.scene()
    assert scene.values["refused"] == ""
    roots = [ElementTree.fromstring(scene.arrays[theme].tobytes()) for theme in ("light", "dark")]
    assert all(root.tag.endswith("svg") for root in roots)
    assert scene.arrays["light"].tobytes() != scene.arrays["dark"].tobytes()


def test_a_picture_that_does_not_apply_says_why(own):
    scene = own(ModelSettings(picture="confusion-matrix")).scene()
    assert scene.values["refused"] == "Sequential is no fitted estimator."
    assert scene.arrays["light"].size == 0


def test_the_script_makes_the_same_network(own):
    run = subprocess.run(
        [sys.executable, "-c", own(ModelSettings()).python()], capture_output=True, text=True, check=True
    )
    values = own(ModelSettings()).frame().values
    lines = [f"{row['address']} {row['kind']} {tuple(row['shape'])} {row['parameters']}" for row in values["layers"]]
    assert run.stdout.splitlines() == [*lines, f"parameters {values['parameters']}"]


def test_the_seed_decides_the_weights(own, tmp_path):
    torch.manual_seed(3)
    expected = torch.nn.Conv2d(3, 4, 3).weight
    torch.testing.assert_close(own.opened.subject.model[0].weight, expected)


@pytest.mark.parametrize(
    ("what", "shapes", "error"),
    [("nowhere.py:net", ["1x3x8x8"], DataNotFoundError), ("{}:net", [], InvalidInputError),
     ("{}:net", ["1x4x8x8"], GlassnetError), ("{}:net", ["1x3x9x9"], GlassnetError)],
)  # fmt: skip
def test_what_cannot_be_opened_is_refused_before_the_lab_starts(tmp_path, monkeypatch, what, shapes, error):
    monkeypatch.setattr(ModelExhibit, "opened", None)
    (tmp_path / "mine.py").write_text(FILE)
    with pytest.raises(error):
        command._open(what.format(tmp_path / "mine.py"), None, shapes, False, 0)
    assert ModelExhibit.opened is None
