from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from glassnet import GenerativeBeliefClassifier
from glassnet.lab.exhibits.dbn import N_DREAMS, DbnExhibit, DbnSettings
from glassnet.lab.exhibits.dbn_rooms import BATCH, TUNING_RATE, lessons, samples

SMALL = {"hidden": 20, "top": 40, "pretrain_iter": 1, "max_iter": 1}
PER_EPOCH = 80


def exhibit(step: int = 0, **settings) -> DbnExhibit:
    made = DbnExhibit(DbnSettings(**{**SMALL, **settings}))
    if step:
        made.step(step)
    return made


def fitted() -> GenerativeBeliefClassifier:
    options = {"learning_rate_init": TUNING_RATE, "learning_rate": "cosine", "batch_size": BATCH, "random_state": 0}
    options |= {"pretrain_iter": 1, "pretrain_learning_rate": 0.2, "pretrain_momentum": 0.0, "max_iter": 1}
    return GenerativeBeliefClassifier((20, 20, 40), **options).fit(*lessons())


def test_its_end_is_that_of_a_fit_and_goes_no_further():
    shown = exhibit(10_000)
    assert (shown.history.step, shown.history.stage) == (4 * PER_EPOCH, 3)
    net, values = fitted(), shown.frame().values
    dreams = net.dream(3, N_DREAMS, 20, random_state=0)
    assert values["read"] == net.predict(dreams).tolist()
    assert values["ink"] == pytest.approx(dreams.mean())
    for layer in range(3):
        error = np.mean((net.reconstruct(samples(), layer) - samples()) ** 2)
        assert values["errors"][layer] == pytest.approx(error)
    losses = shown.frame().arrays["losses"]
    np.testing.assert_allclose(losses[:PER_EPOCH, 1].mean(), net.pretrain_loss_curves_[0][0], rtol=1e-5)
    assert losses[:, 0].tolist() == list(range(1, 4 * PER_EPOCH + 1))


def test_going_back_before_the_fine_tuning_shows_what_was_then():
    shown = exhibit(3 * PER_EPOCH + 15)
    for step in (3 * PER_EPOCH, 2 * PER_EPOCH + 5, PER_EPOCH + 7, 3, 3 * PER_EPOCH + 2, 0):
        shown.seek(step)
        fresh = exhibit(step)
        assert shown.history.last == 3 * PER_EPOCH + 15
        assert shown.frame().values == fresh.frame().values
        for name, array in fresh.frame().arrays.items():
            if name != "losses":
                np.testing.assert_array_equal(shown.frame().arrays[name], array, err_msg=f"{name} at {step}")
    shown.step(1)
    assert shown.history.step == 1


def test_layers_and_dreams_appear_in_their_turn():
    shown = exhibit()
    assert [len(shown.frame().values["errors"]), shown.frame().values["read"]] == [1, None]
    shown.step(PER_EPOCH)
    assert len(shown.frame().values["errors"]) == 1
    shown.step(1)
    assert len(shown.frame().values["errors"]) == 2
    shown.step(PER_EPOCH)
    values = shown.frame().values
    assert len(values["read"]) == N_DREAMS
    assert values["testError"] is not None


def test_filters_are_the_weights_of_the_first_machine():
    shown = exhibit(30)
    weights = shown.room.network.rbms_[0].components_
    filters = shown.frame().arrays["filters0"].reshape(20, -1).astype(float) - 128
    scaled = weights / np.abs(weights).max(axis=1, keepdims=True)
    np.testing.assert_allclose(filters / 127, scaled, atol=0.5 / 127 + 1e-6)


def test_a_view_changes_no_learning():
    shown = exhibit(2 * PER_EPOCH + 10)
    before = shown.frame().values
    shown.settings = shown.settings.changed({"digit": "8", "sample": 4, "lookLayer": 2, "lookUnit": 48, "dreamSeed": 3})
    after = shown.frame().values
    assert after["errors"] == before["errors"]
    assert after["ink"] != before["ink"]
    unit = shown.room.network.transform(samples()[4][None], 1)[0, 19]  # of twenty units, the last
    assert after["unit"] == {"layer": 2, "unit": 20, "activation": pytest.approx(float(unit))}


@pytest.mark.parametrize("step", [7, 2 * PER_EPOCH + 9, 3 * PER_EPOCH + 11])
def test_the_script_prints_the_numbers_of_the_page(step):
    shown = exhibit(step, digit="5", look_layer=3, sample=2)
    values = shown.frame().values
    run = subprocess.run([sys.executable, "-c", shown.python()], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    assert lines[: len(values["errors"])] == [
        f"error of layer {k + 1}: {error:.4f}" for k, error in enumerate(values["errors"])
    ]
    if values["read"]:
        assert f"held-out error {values['testError']:.1%}" in lines
        assert lines[-2:] == ["read as " + " ".join(map(str, values["read"])), f"ink {values['ink']:.3f}"]


@pytest.mark.parametrize("values", [{"hidden": 500}, {"digit": "10"}, {"lookLayer": 4}, {"gibbs": 0}, {"mode": "x"}])
def test_settings_have_bounds(values):
    with pytest.raises(ValidationError):
        DbnSettings().changed(values)
