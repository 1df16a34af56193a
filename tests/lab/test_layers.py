from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet.lab.exhibits.layers import SCALE, LayersExhibit, LayersSettings, grid_lines

FORMULAS = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sigmoid": lambda z: 1 / (1 + np.exp(-z))}


def exhibit(step: int = 0, **settings) -> LayersExhibit:
    made = LayersExhibit(LayersSettings(**settings))
    if step:
        made.step(step)
    return made


@pytest.mark.parametrize("activation", FORMULAS)
def test_every_plane_is_the_one_before_through_the_written_equation(activation):
    frame = exhibit(40, activation=activation, depth=4).frame()
    formula = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sigmoid": lambda z: 1 / (1 + np.exp(-z))}[
        activation
    ]
    arrays = frame.arrays
    np.testing.assert_array_equal(arrays["grid"][0], grid_lines())
    for layer, (weight, bias) in enumerate(zip(arrays["weights"], arrays["biases"], strict=True)):
        for name in ("grid", "points", "batch"):
            expected = formula(arrays[name][layer] @ weight + bias)
            np.testing.assert_allclose(arrays[name][layer + 1], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(
            formula(arrays["before"][layer]), arrays["batch"][layer + 1, 0], rtol=1e-4, atol=1e-5
        )


def test_the_curves_run_through_the_point():
    shown = exhibit(40, x1=-2.0, x2=3.0, look=2)
    arrays = shown.frame().arrays
    at = np.argmin(np.abs(arrays["curves"][:, 0] + 2.0))
    np.testing.assert_allclose(arrays["curves"][at, 1:], arrays["batch"][2, 0], atol=1e-5)
    np.testing.assert_allclose(arrays["batch"][0, 0], [-2 * SCALE, 3 * SCALE], rtol=1e-6)


def test_the_layer_looked_at_exists():
    assert exhibit(depth=2, look=4).frame().values["look"] == 2


def test_ranges_hold_the_whole_grid():
    frame = exhibit(100).frame()
    for (x0, x1, y0, y1), points in zip(frame.values["ranges"], frame.arrays["grid"], strict=True):
        assert ([x0, y0] < points).all()
        assert (points < [x1, y1]).all()


@pytest.mark.parametrize("values", [{"depth": 5}, {"x1": 7}, {"noise": -1}, {"activation": "step"}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        LayersSettings().changed(values)


def test_the_script_prints_what_is_on_the_page():
    shown = exhibit(30, dataset="circle", depth=2)
    done = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    values, batch = shown.frame().values, shown.frame().arrays["batch"]
    assert done.stdout.splitlines() == [
        f"loss {values['loss']:.4f}", f"error {values['error']:.1%}",
        *(f"layer {layer}: {batch[layer, 0, 0]:.3f} {batch[layer, 0, 1]:.3f}" for layer in (1, 2)),
        f"probability of class 1: {values['probability']:.3f}",
    ]  # fmt: skip
