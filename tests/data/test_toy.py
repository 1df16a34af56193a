"""The sets in the plane against scalar re-statements of their geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data import (
    load,
    make_circle,
    make_gauss,
    make_reg_gauss,
    make_reg_plane,
    make_spiral,
    make_xor,
)
from glassnet.data.toy import load_toy
from glassnet.errors import InvalidInputError, UnknownNameError

CLASSIFIERS = [make_circle, make_xor, make_gauss, make_spiral]
REGRESSIONS = [make_reg_plane, make_reg_gauss]
MAKERS = CLASSIFIERS + REGRESSIONS

sizes = st.integers(1, 60)
noises = st.floats(0, 0.5)
seeds = st.integers(0, 2**40)


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=25, deadline=None)
@given(n=sizes, noise=noises, seed=seeds)
def test_shapes_types_and_one_seed_one_set(make, n, noise, seed):
    X, y = make(n, noise, seed)
    assert X.shape == (n, 2)
    assert y.shape == (n,)
    assert X.dtype == np.float32
    assert y.dtype == (np.float32 if make in REGRESSIONS else np.int64)
    assert np.isfinite(X).all()
    assert np.isfinite(y).all()
    again = make(n_samples=n, noise=noise, random_state=seed)
    assert (again[0] == X).all()
    assert (again[1] == y).all()


@pytest.mark.parametrize("make", [make_circle, make_gauss, make_spiral])
@settings(max_examples=20, deadline=None)
@given(n=sizes, seed=seeds)
def test_classes_are_halves(make, n, seed):
    assert make(n, 0.0, seed)[1].sum() == math.ceil(n / 2)


@pytest.mark.parametrize("make", [make_circle, make_xor, make_spiral, *REGRESSIONS])
@settings(max_examples=20, deadline=None)
@given(n=sizes, noise=noises, seed=seeds)
def test_points_stay_in_the_square(make, n, noise, seed):
    assert abs(make(n, noise, seed)[0]).max() <= 6


@settings(max_examples=30, deadline=None)
@given(n=sizes, noise=noises, seed=seeds)
def test_circle_is_a_disc_in_a_ring_at_any_noise(n, noise, seed):
    X, y = make_circle(n, noise, seed)
    radius = np.hypot(*X.T.astype(float))
    inside = radius < 3
    assert inside.sum() == math.ceil(n / 2)
    assert radius[inside].max() <= 2.5 + 1e-5
    assert (abs(radius[~inside] - 4.25) <= 0.75 + 1e-5).all()
    if noise == 0:
        assert (inside == y).all()


@settings(max_examples=30, deadline=None)
@given(n=sizes, noise=noises, seed=seeds)
def test_xor_keeps_the_street_free_at_any_noise(n, noise, seed):
    X, y = make_xor(n, noise, seed)
    assert (abs(X) >= np.float32(0.3)).all()
    assert (abs(X) <= np.float32(5.3)).all()
    if noise == 0:
        assert [int((a > 0) == (b > 0)) for a, b in X] == y.tolist()


def test_noise_shifts_only_the_place_that_is_looked_up():
    for make in (make_circle, make_xor, *REGRESSIONS):
        clean, noisy = make(400, 0.0, 7), make(400, 0.5, 7)
        assert (np.sort(clean[0], axis=0) == np.sort(noisy[0], axis=0)).all()
        assert (clean[1] != noisy[1]).any()


def test_share_of_flipped_classes_in_xor_is_that_of_a_brute_force_count():
    noise, side = 0.4, np.linspace(-5, 5, 401)
    coordinate = side[:, None] + np.where(side > 0, 0.3, -0.3)[:, None]
    flips = (np.sign(coordinate + noise * side) != np.sign(coordinate)).mean()
    expected = 2 * flips * (1 - flips)  # one of two signs changes
    X, y = make_xor(100_000, noise, 0)
    assert np.mean((X[:, 0] * X[:, 1] > 0) != y) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("noise", "variance"), [(0.0, 0.5), (0.25, 2.25), (0.5, 4.0)])
def test_gauss_has_its_centres_and_variance(noise, variance):
    X, y = make_gauss(100_000, noise, 1)
    for label, centre in ((1, 2.0), (0, -2.0)):
        cloud = X[y == label].astype(float)
        assert cloud.mean(axis=0) == pytest.approx([centre, centre], abs=0.05)
        assert np.cov(cloud.T) == pytest.approx(variance * np.eye(2), abs=0.08)


@pytest.mark.parametrize("n", [1, 2, 7, 200])
def test_spiral_is_the_two_arms_and_noise_shifts_each_point(n):
    X, y = make_spiral(n, 0.0, 2)
    arms = []
    for label, count, turn in ((1, math.ceil(n / 2), 0.0), (0, n // 2, math.pi)):
        for i in range(count):
            r, t = 5 * i / count, 1.75 * 2 * math.pi * i / count + turn
            arms.append((r * math.sin(t), r * math.cos(t), label))
    found = np.column_stack([X, y])
    nearest = abs(found[:, None] - np.array(arms)[None]).max(axis=2)  # (found, arms)
    assert (nearest.min(axis=1) < 1e-5).all()
    assert (nearest.min(axis=0) < 1e-5).all()
    shift = make_spiral(n, 0.3, 2)[0] - X
    assert 0 < abs(shift).max() <= 0.3 + 1e-6


def test_plane_is_a_tenth_of_the_sum_and_its_noise_is_bounded():
    X, y = make_reg_plane(100_000, 0.0, 3)
    assert [float(a + b) / 10 for a, b in X[:100].astype(float)] == pytest.approx(y[:100].tolist(), abs=1e-6)
    X, y = make_reg_plane(100_000, 0.25, 3)
    error = y - X.astype(float).sum(axis=1) / 10
    assert abs(error).max() <= 2 * 6 * 0.25 / 10 + 1e-6
    assert error.var() == pytest.approx(2 * (2 * 6 * 0.25) ** 2 / 12 / 100, rel=0.03)  # of two uniforms


def test_hills_against_a_loop():
    X, y = make_reg_gauss(2000, 0.0, 4)
    for (a, b), value in zip(X.astype(float), y, strict=True):
        best = 0.0
        for row, cy in enumerate((2.5, -2.5)):
            for column, cx in enumerate((-4, 0, 4)):
                height = max(0.0, 1 - math.dist((a, b), (cx, cy)) / 2)
                if height > abs(best):
                    best = height if (row + column) % 2 == 0 else -height
        assert value == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("noise", [-0.1, 0.51, math.nan, math.inf, "0.1", None, True])
def test_noise_out_of_range(make, noise):
    with pytest.raises(InvalidInputError, match=r"noise must be a number in \[0, 0.5\], got"):
        make(10, noise)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("n", [0, -3, 2.0, "5", None, True])
def test_n_samples_out_of_range(make, n):
    with pytest.raises(InvalidInputError, match="n_samples must be an integer of at least 1, got"):
        make(n)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(2, 50), share=st.floats(0.001, 0.999), seed=seeds)
def test_a_loaded_set_is_the_made_one_cut_in_two(n, share, seed):
    data = load("gauss", n_samples=n, test_size=share, random_state=seed)
    X, y = make_gauss(n, 0.0, seed)
    assert (np.concatenate([data.X_train, data.X_test]) == X).all()
    assert (np.concatenate([data.y_train, data.y_test]) == y).all()
    assert len(data.X_train) >= 1
    assert len(data.X_test) >= 1
    assert abs(len(data.X_test) - n * share) <= 1


def test_loaded_sizes_are_the_playgrounds():
    assert load("spiral").X_train.shape == load("spiral").X_test.shape == (250, 2)
    assert load("reg-gauss").X_train.shape == (600, 2)
    assert load("reg-gauss").target_names == ("y",)


def test_what_cannot_be_loaded():
    with pytest.raises(InvalidInputError, match="at least 2"):
        load("xor", n_samples=1)
    for share in (0, 1, -0.5, math.nan):
        with pytest.raises(InvalidInputError, match=r"test_size must be in \(0, 1\)"):
            load("xor", test_size=share)
    with pytest.raises(UnknownNameError, match="'moons'"):
        load_toy("moons")
