from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from glassnet.lab.exhibits.loss import CLASSES, LossExhibit, LossSettings


def seen(**settings):
    return LossExhibit(LossSettings(**settings)).frame()


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_loss_and_gradient_are_those_of_torch(smoothing, temperature):
    frame = seen(label="grizzly bear", smoothing=smoothing, temperature=temperature)
    z = torch.tensor(LossSettings().scores, dtype=torch.float64) / temperature
    z.requires_grad_()
    label = torch.tensor(CLASSES.index("grizzly bear"))
    loss = torch.nn.functional.cross_entropy(z, label, label_smoothing=smoothing)
    loss.backward()
    assert frame.values["loss"] == pytest.approx(loss.item(), rel=1e-9)
    np.testing.assert_allclose(frame.arrays["gradient"], z.grad, atol=1e-6)
    np.testing.assert_allclose(frame.arrays["probabilities"], z.detach().softmax(0), atol=1e-6)


def test_the_loss_is_entropy_plus_divergence():
    values = seen(smoothing=0.4).values
    assert values["loss"] == pytest.approx(values["entropy"] + values["divergence"])
    assert values["reverse"] != pytest.approx(values["divergence"])


def test_a_hard_label_costs_the_logarithm_of_its_probability_and_nothing_has_its_reverse():
    values = seen(label="tench").values
    assert np.exp(-values["loss"]) == pytest.approx(values["labelProbability"])
    assert (values["entropy"], values["reverse"], values["guess"]) == (0, None, "clown fish")


@pytest.mark.parametrize(
    "values", [{"scores": (0.0,) * 7}, {"scores": (7.0,) * 8}, {"label": "cat"}, {"temperature": 0}]
)
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        LossSettings().changed(values)


def test_the_script_prints_what_is_on_the_page():
    exhibit = LossExhibit(LossSettings(label="goldfish", smoothing=0.2, temperature=1.5))
    values = exhibit.frame().values
    done = subprocess.run([sys.executable, "-c", exhibit.python()], capture_output=True, text=True, check=True)
    first, second, third, _ = done.stdout.splitlines()
    assert first.startswith(f"loss {values['loss']:.4f}, ")
    assert second == f"entropy of the target {values['entropy']:.4f} + KL(target, p) {values['divergence']:.4f}"
    assert third == f"KL(p, target) {values['reverse']:.4f}"
