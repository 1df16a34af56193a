"""Connections, the over-large network and normalization: their numbers against independent computation."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.signal import correlate2d

from glassnet.lab.exhibits.connections import (
    FORMS,
    SIDE,
    ConnectionsExhibit,
    ConnectionsSettings,
    weight_matrix,
)
from glassnet.lab.exhibits.normalization import NormalizationExhibit, NormalizationSettings
from glassnet.lab.exhibits.overfit import EVERY, HELD_OUT, N_NEW, OverfitExhibit, OverfitSettings


def printed(exhibit) -> list[str]:
    run = subprocess.run([sys.executable, "-c", exhibit.python()], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()


# connections


@pytest.mark.parametrize(("field", "channels"), [(3, 2), (5, 1), (2, 3)])
def test_the_weight_matrix_is_what_the_layer_does(field, channels):
    exhibit = ConnectionsExhibit(ConnectionsSettings(field=field, channels=channels, activation="tanh"))
    exhibit.step(5)
    X = exhibit.data.X_test[:7]
    for network in exhibit.networks:
        bias = network.intercepts_[0]
        if len(bias) < len(weight_matrix(network)):
            bias = np.repeat(bias, exhibit.settings.places)
        expected = np.tanh(X @ weight_matrix(network).T + bias)
        np.testing.assert_allclose(network.activations(X)[0], expected, atol=1e-5)


def test_the_shared_form_is_a_convolution():
    exhibit = ConnectionsExhibit(ConnectionsSettings(channels=1))
    exhibit.step(3)
    network = exhibit.networks[FORMS.index("shared")]
    kernel = network.coefs_[0].reshape(3, 3)
    image = exhibit.data.X_test[0].reshape(SIDE, SIDE)
    z = weight_matrix(network) @ exhibit.data.X_test[0]
    np.testing.assert_allclose(z, correlate2d(image, kernel, "valid").ravel(), atol=1e-5)


def test_the_forms_have_as_many_parameters_as_they_should():
    forms = ConnectionsExhibit(ConnectionsSettings(field=4, channels=3)).frame().values["forms"]
    units = 3 * 25
    assert [form["layer"] for form in forms] == [units * 65, units * 17, 3 * 17]
    assert [form["all"] - form["layer"] for form in forms] == [(units + 1) * 10] * 3


# the over-large network


def test_points_fitted_held_out_and_new_are_three_sets():
    exhibit = OverfitExhibit(OverfitSettings(n_points=50, seed=3))
    sizes = [len(y) for _, y in (exhibit.fitted, exhibit.held, exhibit.new)]
    assert sum(sizes[:2]) == pytest.approx(50, abs=1)
    assert sizes[1] == pytest.approx(sum(sizes[:2]) / HELD_OUT, abs=1)
    assert sizes[2] == pytest.approx(N_NEW, abs=1)
    rows = np.concatenate([X for X, _ in (exhibit.fitted, exhibit.held, exhibit.new)])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_the_early_stop_is_where_the_held_out_loss_was_lowest():
    exhibit = OverfitExhibit(OverfitSettings(seed=1, layer_units=16))
    exhibit.step(610)
    shown = exhibit.frame()
    again = OverfitExhibit(OverfitSettings(seed=1, layer_units=16))
    losses, errors = [], []
    for step in range(0, 601, EVERY):
        if step:
            again.history.advance(EVERY)
        X, y = again.held
        losses.append(-np.log(again.network.predict_proba(X)[np.arange(len(y)), y]).mean())
        errors.append(1 - again.network.score(*again.new))
    best = int(np.argmin(losses))
    assert shown.values["stoppedAt"] == EVERY * best
    assert shown.values["stoppedNewError"] == pytest.approx(errors[best])
    assert exhibit.history.step == 610
    exhibit.seek(100)
    assert exhibit.frame().values["stoppedAt"] <= 100
    assert exhibit.frame().values["stoppedAt"] == EVERY * int(np.argmin(losses[: 100 // EVERY + 1]))


def test_weight_decay_keeps_the_weights_short():
    lengths = []
    for alpha in (0.0, 1.0):
        exhibit = OverfitExhibit(OverfitSettings(alpha=alpha))
        exhibit.step(600)
        lengths.append(exhibit.frame().values["length"])
    assert lengths[1] < lengths[0] / 2


# normalization


@pytest.mark.parametrize(
    ("norm", "layer"),
    [
        ("batch", lambda: torch.nn.BatchNorm1d(8, affine=False)),
        ("layer", lambda: torch.nn.LayerNorm(8, elementwise_affine=False)),
        ("group", lambda: torch.nn.GroupNorm(2, 8, affine=False)),
    ],
)
def test_the_values_after_are_those_of_torch(norm, layer):
    exhibit = NormalizationExhibit(NormalizationSettings(norm=norm, input_offset=2, input_scale=3))
    exhibit.step(10)
    arrays = exhibit.frame().arrays
    expected = layer()(torch.tensor(arrays["z"])).numpy()
    np.testing.assert_allclose(arrays["normalized"], expected, atol=2e-4)


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group"])
def test_the_framed_slice_has_mean_0_and_deviation_1_after(norm):
    exhibit = NormalizationExhibit(NormalizationSettings(norm=norm, unit=7, sample=11, input_offset=4))
    exhibit.step(4)
    frame = exhibit.frame()
    r0, r1, c0, c1 = frame.values["slice"]
    after = frame.arrays["normalized"][r0:r1, c0:c1]
    assert frame.arrays["histogramAfter"][:, 2].sum() == after.size
    if norm != "none":
        assert frame.values["after"]["mean"] == pytest.approx(0, abs=1e-6)
        assert frame.values["after"]["std"] == pytest.approx(1, abs=2e-3)
    assert frame.values["before"]["mean"] == pytest.approx(frame.arrays["z"][r0:r1, c0:c1].mean(), abs=1e-5)


def test_running_statistics_follow_the_batches_by_a_tenth():
    exhibit = NormalizationExhibit(NormalizationSettings(learning_rate=1e-6, unit=3))
    assert exhibit.frame().values["running"] == {"mean": 0.0, "variance": 1.0}
    exhibit.step(120)
    network = exhibit.network
    z = exhibit.X @ network.coefs_[0][:, 2] + network.intercepts_[0][2]
    running = exhibit.frame().values["running"]
    assert running["mean"] == pytest.approx(float(z.mean()), abs=float(0.1 * z.std()))
    assert running["variance"] == pytest.approx(float(z.var()), rel=0.3)


@pytest.mark.parametrize("norm", ["batch", "layer", "group"])
def test_the_script_normalizes_by_its_own_formula(norm):
    exhibit = NormalizationExhibit(NormalizationSettings(norm=norm, unit=5, sample=3))
    exhibit.step(20)
    values = exhibit.frame().values
    lines = printed(exhibit)
    assert lines[0] == f"test error {values['testError']:.1%}"
    assert lines[1] == f"mean {values['before']['mean']:.4f}, standard deviation {values['before']['std']:.4f}"
    assert float(lines[2].split()[-1]) == pytest.approx(values["after"]["std"], abs=1e-4)
    if norm == "batch":
        assert lines[3:] == [f"running {name} {values['running'][name]:.4f}" for name in ("mean", "variance")]
