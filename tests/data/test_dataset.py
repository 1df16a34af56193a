"""The record, the table of names and the lazy package."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import glassnet.data
from glassnet.data import Dataset, load
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.registry import DATA

SMALL = [name for name in DATA if not name.startswith(("mnist", "cifar"))]


@pytest.mark.parametrize("name", SMALL)
def test_every_loader_keeps_the_contract(name):
    data = load(name, random_state=3)
    assert data.name == name
    assert data.X_train.dtype == data.X_test.dtype == np.float32
    assert data.y_train.dtype == data.y_test.dtype == (np.int64 if data.kind == "classification" else np.float32)
    if data.kind == "classification":
        assert set(data.y_train) == set(data.y_test) == set(range(len(data.target_names)))


@pytest.mark.parametrize("name", SMALL)
def test_one_seed_gives_one_data_set(name):
    assert load(name, random_state=5).sha256 == load(name, random_state=5).sha256
    assert load(name).sha256 == load(name, random_state=0).sha256
    if not name.startswith("gate-") and name != "lines":
        assert load(name, random_state=5).sha256 != load(name, random_state=6).sha256


@pytest.mark.parametrize("name", SMALL)
def test_the_global_generator_is_left_alone(name):
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    load(name, random_state=1)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


def test_unknown_names_and_options_are_told_the_allowed_ones():
    with pytest.raises(UnknownNameError, match=r"data set: 'spirl'.*Did you mean 'spiral'"):
        load("spirl")
    with pytest.raises(UnknownNameError, match=r"option of data set 'circle': 'noisy'.*noise"):
        load("circle", noisy=0.1)
    with pytest.raises(UnknownNameError, match=r"option of data set 'gate-and': 'n_samples'\. Allowed: random_state"):
        load("gate-and", n_samples=3)


def test_the_hash_follows_values_types_and_shapes():
    data = load("circle", n_samples=20)
    changed = data.X_test.copy()
    changed[-1, -1] += 1
    hashes = {
        data.sha256,
        replace(data, X_test=changed).sha256,
        replace(data, y_test=data.y_test.view(np.uint64)).sha256,
        replace(data, X_train=data.X_train[:9], y_train=data.y_train[:9]).sha256,
    }
    assert len(hashes) == 4
    assert replace(data, name="other").sha256 == data.sha256


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"feature_names": ("x1",)}, "1 feature names"),
        ({"y_train": np.zeros(3)}, "y_train"),
        ({"X_test": np.zeros(4)}, "X_test"),
        ({"image_shape": (2, 2)}, r"image_shape \(2, 2\)"),
        ({"kind": "ranking"}, "'ranking'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, words):
    with pytest.raises(InvalidInputError, match=words):
        replace(load("gate-or"), **change)


def test_importing_and_loading_points_needs_no_torch():
    code = "import sys, glassnet.data as d; assert not {'torch', 'sklearn'} & set(sys.modules); "
    code += "d.load('spiral'); d.load('digits'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_lazy_names_exist_and_agree_with_what_type_checkers_read():
    for name in glassnet.data.__all__:
        assert getattr(glassnet.data, name).__doc__
    assert sorted(glassnet.data.__all__) == dir(glassnet.data)
    tree = ast.parse(inspect.getsource(glassnet.data))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    read = {alias.name: node.module for node in block.body for alias in node.names}
    assert read == {name: f"glassnet.data.{module}" for name, module in glassnet.data._PUBLIC.items()}
    with pytest.raises(AttributeError, match="no attribute 'load_mnits'"):
        glassnet.data.load_mnits  # noqa: B018


def test_dataset_is_what_load_gives():
    assert isinstance(load("reg-plane"), Dataset)
