"""Compact run folders, and the networks that come with glassnet."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from torch import nn

from glassnet import (
    RBM,
    DeepBeliefClassifier,
    GenerativeBeliefClassifier,
    HopfieldNetwork,
    ModuleClassifier,
    load_trained,
)
from glassnet.data import load
from glassnet.data.text import load_multi30k, load_shakespeare
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.training.run_folder import load_run, read_config, save_run
from glassnet.training.trained import WEIGHTS_FOLDER, compacted, trained_names

RESULTS = Path(__file__).parents[2] / "results" / "recipes"


def fitted(module="lenet5"):
    rng = np.random.default_rng(0)
    X = rng.random((60, 1, 28, 28), np.float32)
    return ModuleClassifier(module, max_iter=2, tol=None, random_state=0).fit(X, rng.integers(3, size=60)), X


def test_a_compact_run_predicts_alike_and_can_be_fitted_on(tmp_path):
    net, X = fitted()
    whole, small = save_run(tmp_path / "whole", net), save_run(tmp_path / "small", compacted(net))
    size = {folder: (folder / "model.safetensors").stat().st_size for folder in (whole, small)}
    assert size[small] < size[whole] / 5.5
    again = load_run(small)
    np.testing.assert_allclose(again.predict_proba(X), net.predict_proba(X), atol=2e-3)
    assert again.state_.arrays["parameters"].dtype == np.float32
    again.partial_fit(X, net.predict(X))
    assert net.state_.arrays["first_moment"].any()


def test_numbers_beyond_float16_are_refused():
    net, _ = fitted(lambda n_classes: nn.Sequential(nn.Flatten(), nn.Linear(784, n_classes)))
    net.state_.arrays["parameters"][0] = 1e6
    with pytest.raises(InvalidInputError, match="beyond those of float16"):
        compacted(net)


DIGITS = load_digits(n_class=3)
SMALL = {"pretrain_iter": 5, "max_iter": 5, "batch_size": 20, "random_state": 0}


def fitted_belief_net(cls, sizes):
    X = np.float32(DIGITS.data / 16)
    return cls(sizes, **SMALL).fit(X, DIGITS.target), X


def test_a_compact_belief_net_predicts_dreams_and_goes_on_alike(tmp_path):
    net, X = fitted_belief_net(GenerativeBeliefClassifier, (30, 20, 40))
    whole, small = save_run(tmp_path / "whole", net), save_run(tmp_path / "small", compacted(net))
    assert (small / "model.safetensors").stat().st_size < (whole / "model.safetensors").stat().st_size / 3
    again = load_run(small)
    np.testing.assert_allclose(again.predict_proba(X), net.predict_proba(X), atol=0.02)
    np.testing.assert_allclose(again.reconstruct(X), net.reconstruct(X), atol=0.01)
    assert again.dream(2, 3, 5).shape == (3, 64)
    assert again.rbms_ == []
    assert len(net.rbms_) == 2
    further = {"warm_start": True, "max_iter": 8}
    for more in (again, net):
        more.set_params(**further).fit(X, DIGITS.target)
    assert again.n_iter_ == net.n_iter_ == 8
    np.testing.assert_allclose(again.loss_curve_, net.loss_curve_, rtol=0.02)


def test_a_compact_deep_belief_net_predicts_and_goes_on_without_its_machines(tmp_path):
    net, X = fitted_belief_net(DeepBeliefClassifier, (30, 20))
    again = load_run(save_run(tmp_path, compacted(net)))
    np.testing.assert_allclose(again.predict_proba(X), net.predict_proba(X), atol=0.02)
    np.testing.assert_allclose(again.transform(X, 0), net.transform(X, 0), atol=0.01)
    np.testing.assert_allclose(again.filters(), net.filters(), atol=0.01)
    for dream in (again.gibbs, again.reconstruct):
        with pytest.raises(InvalidInputError, match="no machines to dream with"):
            dream(X)
    assert len(net.rbms_) == 2
    again.set_params(warm_start=True, max_iter=6).fit(X, DIGITS.target)
    assert again.n_iter_ == 6


def test_a_machine_half_way_is_compacted_too(tmp_path):
    X = np.float32(DIGITS.data / 16)
    begun = GenerativeBeliefClassifier((10, 8), **SMALL).pretrain(X, DIGITS.target)
    again = load_run(save_run(tmp_path, compacted(begun)))
    assert not again.memory_.arrays["velocity"].any()
    np.testing.assert_allclose(again.predict_proba(X), begun.predict_proba(X), atol=0.02)
    rbm = RBM(8, momentum=0.5, max_iter=2, random_state=0).fit(X)
    load_run(save_run(tmp_path, compacted(rbm))).partial_fit(X)


def test_what_learned_no_weights_step_by_step_is_refused():
    with pytest.raises(InvalidInputError, match="HopfieldNetwork holds no weights"):
        compacted(HopfieldNetwork().fit([[1, -1, 1, 1, -1, 1, -1, -1]]))


def test_unknown_trained_network():
    with pytest.raises(UnknownNameError, match="lenet5-mnist"):
        load_trained("lenet6")


@pytest.mark.parametrize("name", trained_names())
def test_trained_networks_are_small_and_those_of_the_records(name):
    assert sum(file.stat().st_size for file in WEIGHTS_FOLDER.glob("*/*")) < 25e6
    record = json.loads((RESULTS / f"{name}.json").read_text())
    about = read_config(WEIGHTS_FOLDER / name)["metadata"]
    assert about["data_sha256"] == record["data_sha256"]
    reached = record["metrics"].get("reader", record["metrics"])  # two networks learn the pronouns, the reader is kept
    shared = set(reached) & set(about["metrics"]) - {"seconds"}
    assert shared & {"test_accuracy", "accuracy", "test_bleu", "validation_loss"}
    assert {key: about["metrics"][key] for key in shared} == {key: reached[key] for key in shared}


@pytest.mark.data
def test_the_trained_writer_and_translator_do_as_their_records_say():
    for name, load_data in (("gpt-shakespeare", load_shakespeare), ("translator-multi30k", load_multi30k)):
        record, data = json.loads((RESULTS / f"{name}.json").read_text())["metrics"], load_data()
        parts = (data.source_validation, data.target_validation) if hasattr(data, "source_test") else (data.validation,)
        assert load_trained(name).loss(*parts) == pytest.approx(record["validation_loss"], abs=2e-3)


def test_figures_in_the_docs_are_those_of_the_records():
    text = (RESULTS.parents[1] / "docs" / "convolutional.md").read_text()
    figures = re.findall(r"\| ([\d.]+)% test error .*recipes/([\w-]+)\.json", text)
    assert figures
    for figure, name in figures:
        accuracy = json.loads((RESULTS / f"{name}.json").read_text())["metrics"]["test_accuracy"]
        assert float(figure) == pytest.approx(100 * (1 - accuracy), abs=0.005)


@pytest.mark.data
def test_trained_lenet_has_the_test_error_of_its_record():
    mnist, record = load("mnist"), json.loads((RESULTS / "lenet5-mnist.json").read_text())
    hits = load_trained("lenet5-mnist").score(mnist.X_test, mnist.y_test)
    assert hits == pytest.approx(record["metrics"]["test_accuracy"], abs=3e-4)
    assert hits >= 0.9905


@pytest.mark.data
@pytest.mark.parametrize("name", ["dbn-mnist", "dbn-generative-mnist"])
def test_trained_belief_net_has_the_test_error_of_its_record(name):
    mnist, record = load("mnist"), json.loads((RESULTS / f"{name}.json").read_text())
    hits = load_trained(name).score(mnist.X_test, mnist.y_test)
    assert hits == pytest.approx(record["metrics"]["test_accuracy"], abs=1e-3)
