from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone

from glassnet import Checkpoint, Translator, advance
from glassnet.errors import InvalidInputError, UnknownNameError
from glassnet.learning.averaging import AVERAGE
from glassnet.learning.label_smoothing import smoothed_cross_entropy
from glassnet.training.observers import Observer
from glassnet.training.run_folder import load_run, save_run

ARTICLES = {"dog": "der Hund", "cat": "die Katze", "horse": "das Pferd", "bird": "der Vogel", "mouse": "die Maus"}
VERBS = {"sees": "sieht", "hears": "hört", "likes": "mag"}
PAIRS = [(f"the {n} {v} me", f"{g} {w} mich") for n, g in ARTICLES.items() for v, w in VERBS.items()]
SOURCE, TARGET = map(list, zip(*PAIRS, strict=True))
SMALL = {"d_model": 16, "n_heads": 2, "d_ff": 32, "n_layers": 1, "max_tokens": 40, "random_state": 0}


def small(**options):
    return Translator(
        280, **(SMALL | {"learning_rate": "constant", "learning_rate_init": 0.01, "max_iter": 3} | options)
    )


@pytest.fixture(scope="module")
def fitted():
    return small(max_iter=80, dropout=0.0, label_smoothing=0.0).fit(SOURCE, TARGET)


def test_learns_its_pairs(fitted):
    assert fitted.translate(SOURCE) == TARGET
    assert fitted.translate(SOURCE, beam_size=1) == TARGET
    assert fitted.score(SOURCE, TARGET) == pytest.approx(100)
    assert fitted.perplexity(SOURCE, TARGET) == pytest.approx(np.exp(fitted.loss(SOURCE, TARGET)))
    assert fitted.n_iter_ == len(fitted.loss_curve_) == 80


def test_cached_equals_uncached_and_the_order_of_the_sentences_does_not_matter(fitted):
    mixed = [*SOURCE[::-1], "a mouse", "the bird and the cat and the dog see us all the day"]
    found = fitted.translate(mixed, cached=False)
    assert fitted.translate(mixed) == found
    assert [fitted.translate([sentence])[0] for sentence in mixed] == found


def test_loss_is_the_mean_over_all_target_tokens(fitted):
    """One by one, without batches or padding, by the open formula."""
    total, n_tokens = 0.0, 0
    for source, target in PAIRS:
        read, written = (fitted.vocabulary_.encode(text) for text in (source, target))
        with torch.no_grad():
            logits = fitted.module_(torch.tensor([[*read, 2]]), torch.tensor([[1, *written]]))[0]
        total += float(smoothed_cross_entropy(logits, torch.tensor([*written, 2]))) * len(logits)
        n_tokens += len(logits)
    assert fitted.loss(SOURCE, TARGET) == pytest.approx(total / n_tokens, rel=1e-5)


def test_alternatives_are_the_likeliest_tokens_after_those_before(fitted):
    source, target = SOURCE[0], "der Hund mag"
    read, written = (fitted.vocabulary_.encode(text) for text in (source, target))
    places = fitted.alternatives(source, target, n=3)
    assert len(places) == len(written) + 1
    for i, place in enumerate(places):
        with torch.no_grad():
            p = fitted.module_(torch.tensor([[*read, 2]]), torch.tensor([[1, *written[:i]]]))[0, -1].softmax(-1).numpy()
        best = np.argsort(-p)[:3]
        assert [token for token, _ in place] == fitted.vocabulary_.tokens(best)
        assert [share for _, share in place] == pytest.approx(p[best].tolist(), abs=1e-5)
    own = fitted.alternatives(source)
    assert "".join(place[0][0] for place in own[:-1]) == TARGET[0]
    assert own[-1][0][0] == "<end>"


def test_attention_is_that_of_the_translation(fitted):
    attention = fitted.attention(SOURCE[0])
    source = [*fitted.vocabulary_.tokens(fitted.vocabulary_.encode(SOURCE[0])), "<end>"]
    target = ["<begin>", *fitted.vocabulary_.tokens(fitted.vocabulary_.encode(TARGET[0]))]
    for part, queries, keys in (("encoder", source, source), ("decoder", target, target), ("cross", target, source)):
        found = getattr(attention, part)
        assert (found.queries, found.keys) == (queries, keys)
        assert found.weights.shape == (1, 2, len(queries), len(keys))
        np.testing.assert_allclose(found.weights.sum(-1), 1, rtol=1e-5)
    assert (np.triu(attention.decoder.weights[0, 0], 1) == 0).all()
    other = fitted.attention(SOURCE[0], "die Katze")
    assert other.cross.queries[1:] == fitted.vocabulary_.tokens(fitted.vocabulary_.encode("die Katze"))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_resumed_fit_has_the_same_bits(tmp_path, precision):
    options = {"precision": precision, "max_iter": 4, "average_last": 2, "dropout": 0.2}
    torch.set_num_threads(1)
    whole = small(**options).fit(SOURCE, TARGET)

    class Killed(Observer):
        def next_event(self, step):
            return 3 * whole.state_.steps_per_epoch + 1

        def observe(self, state):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(**options).fit(SOURCE, TARGET, observers=[Checkpoint(tmp_path), Killed()])
    again = small(**options).fit(SOURCE, TARGET, resume=tmp_path)
    assert again.loss_curve_ == whole.loss_curve_
    for name, array in whole.state_.arrays.items():
        np.testing.assert_array_equal(array, again.state_.arrays[name], err_msg=name)


def test_one_seed_decides_everything_and_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    a, b, other = (small(dropout=0.3, random_state=seed).fit(SOURCE, TARGET) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert a.loss_curve_ == b.loss_curve_ != other.loss_curve_


def test_the_module_has_the_mean_of_the_last_weights():
    seen = []

    class Weights(Observer):
        def next_event(self, step):
            return net_steps * (step // net_steps + 1)

        def observe(self, state):
            seen.append(state.arrays["parameters"].copy())

    net = small(max_iter=5, average_last=3)
    net_steps = net.initialize(SOURCE, TARGET).steps_per_epoch
    net.fit(SOURCE, TARGET, observers=[Weights()])
    mean = np.mean(seen[-3:], axis=0)
    np.testing.assert_allclose(net.state_.arrays[AVERAGE], mean, atol=1e-6)
    flat = torch.cat([p.flatten() for p in sorted(net.module_.parameters(), key=lambda p: p.ndim <= 1)])
    np.testing.assert_allclose(flat.detach().numpy(), mean, atol=1e-6)
    np.testing.assert_array_equal(net.state_.arrays["parameters"], seen[-1])


def test_advance_equals_fit():
    net, other = small(average_last=1), small(average_last=1)
    net.fit(SOURCE, TARGET)
    state = other.initialize(SOURCE, TARGET)
    for _ in range(3 * state.steps_per_epoch):
        advance(state, 1)
    np.testing.assert_array_equal(state.arrays["parameters"], net.state_.arrays["parameters"])
    np.testing.assert_array_equal(state.arrays[AVERAGE], net.state_.arrays[AVERAGE])


def test_kept_copied_and_pickled(fitted, tmp_path):
    found = fitted.translate(SOURCE[:4])
    for same in (
        load_run(save_run(tmp_path / "run", fitted)),
        pickle.loads(pickle.dumps(fitted)),
        copy.deepcopy(fitted),
    ):
        assert same.translate(SOURCE[:4]) == found
    assert clone(fitted).get_params() == fitted.get_params()


def test_validation_sentences_are_measured_after_every_epoch():
    net = small(average_last=1).fit(SOURCE[:12], TARGET[:12], validation=(SOURCE[12:], TARGET[12:]))
    assert len(net.validation_loss_curve_) == 3
    assert net.validation_loss_curve_[-1] == pytest.approx(net.loss(SOURCE[12:], TARGET[12:]), rel=1e-5)


def test_early_stopping_holds_pairs_out():
    net = small(early_stopping=True, validation_fraction=0.2, n_iter_no_change=2, tol=10.0, max_iter=9)
    assert net.fit(SOURCE, TARGET).n_iter_ == len(net.validation_loss_curve_) == 2 + 1


def test_warm_start_goes_on():
    net = small(warm_start=True).fit(SOURCE, TARGET)
    first = net.loss_curve_[-1]
    net.fit(SOURCE, TARGET)
    assert net.loss_curve_[0] < first
    assert net.state_.epoch == 6


def test_any_text_can_be_read(fitted):
    assert isinstance(fitted.translate(["Ωmega 猫 <end> \x00"])[0], str)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (["a", " "], ["b", "c"], r"source has empty sentences, in line 2"),
        (["a"], [""], r"target has empty sentences, in line 1"),
        ([], [], r"source has no sentences"),
        (["a", "b"], ["c"], r"2 sources and 1 targets"),
        ("one", ["c"], r"source is one string; allowed: a list of strings"),
        (["a", 3], ["c", "d"], r"source has 3 as number 2; allowed: strings"),
        (["word " * 50], ["c"], r"sequence 0 has \d+ tokens; a batch may have max_tokens=40"),
    ],
)
def test_bad_sentences_are_named(source, target, message):
    with pytest.raises(InvalidInputError, match=message):
        small().fit(source, target)


def test_bad_parameters_are_named(fitted):
    with pytest.raises(InvalidInputError, match="label_smoothing"):
        small(label_smoothing=1.0).fit(SOURCE, TARGET)
    with pytest.raises(InvalidInputError, match="average_last must be a whole number above 0"):
        small(average_last=0).fit(SOURCE, TARGET)
    with pytest.raises(UnknownNameError, match="warm-up"):
        small(learning_rate="warmup").fit(SOURCE, TARGET)
    with pytest.raises(InvalidInputError, match="at least 259"):
        Translator(100).fit(SOURCE, TARGET)
    with pytest.raises(InvalidInputError, match="not both"):
        small(early_stopping=True).fit(SOURCE, TARGET, validation=(SOURCE, TARGET))
    with pytest.raises(InvalidInputError, match="sentences is one string"):
        fitted.translate("a dog")
