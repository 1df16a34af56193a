from __future__ import annotations

import pickle
from itertools import islice

import numpy as np
import pytest
import torch

from glassnet import Checkpoint, LanguageModel
from glassnet.errors import GlassnetWarning, InvalidInputError, UnknownNameError
from glassnet.learning.sequences import Continuation
from glassnet.training.run_folder import load_run, save_run

TEXT = "to be or not to be, that is the question. " * 12
SMALL = {"n_positions": 16, "d_model": 16, "n_heads": 2, "n_layers": 1, "batch_size": 4, "random_state": 0}


def small(**options):
    return LanguageModel(**(SMALL | {"max_iter": 2} | options))


@pytest.fixture(scope="module")
def fitted():
    return small(max_iter=60, dropout=0.0, learning_rate_init=0.02).fit(TEXT)


def test_learns_its_text(fitted):
    assert fitted.generate("to be or", 34, temperature=0) == "to be or not to be, that is the question. "
    assert fitted.loss(TEXT) < 0.4
    assert fitted.perplexity(TEXT) == pytest.approx(np.exp(fitted.loss(TEXT)))
    assert fitted.score(TEXT) == -fitted.loss(TEXT)


@pytest.mark.parametrize(("temperature", "top_k"), [(0.7, 5), (0.0, None), (1.0, None)])
def test_writing_step_by_step_gives_the_same_text_and_what_it_was_drawn_from(fitted, temperature, top_k):
    """Beyond the positions, too: there it goes on from the last half of them."""
    how = {"temperature": temperature, "top_k": top_k, "random_state": 3}
    tokens = list(islice(fitted.write("to be", **how), 40))
    assert "to be" + "".join(token.text for token in tokens) == fitted.generate("to be", 40, **how)
    text = "to be"
    for token in tokens:
        assert 1 <= token.n_read <= fitted.n_positions
        seen = torch.tensor([fitted.vocabulary_.encode(text[-token.n_read :])])
        with torch.no_grad():
            logits = fitted.module_(seen)[0, -1].numpy().astype(float)
        best = np.argsort(-logits, kind="stable")[: 1 if temperature == 0 else top_k]
        p = np.exp(logits[best] / (temperature or 1))
        assert token.text in token.candidates
        assert sorted(token.candidates) == sorted(fitted.vocabulary_.tokens(best))
        np.testing.assert_allclose(token.probabilities, p / p.sum(), atol=1e-5)
        text += token.text
    with pytest.raises(InvalidInputError, match="prompt is empty"):
        fitted.write("")


def test_loss_is_the_mean_over_windows_side_by_side(fitted):
    tokens = torch.tensor(fitted.vocabulary_.encode(TEXT[:75]))
    total = 0.0
    for start in range(0, 74, 16):
        window = tokens[start : start + 17]
        with torch.no_grad():
            log_p = fitted.module_(window[None, :-1])[0].log_softmax(-1)
        total -= float(log_p.gather(1, window[1:, None]).sum())
    assert fitted.loss(TEXT[:75]) == pytest.approx(total / 74, rel=1e-5)


def test_windows_of_an_epoch_cover_the_text_and_stay_inside():
    seen, objective = set(), Continuation(np.arange(103), 10)

    class Reader:
        class embedding:
            weight = torch.zeros(103, 1)

        def decode(self, tokens):
            seen.update(tokens.flatten().tolist())
            return torch.zeros(*tokens.shape, 1)

    for step in range(30):
        objective.total(Reader(), torch.arange(objective.n_windows), torch.Generator().manual_seed(step))  # type: ignore
    assert seen == set(range(102))  # each token but the last is read


def test_cached_equals_uncached_past_the_positions(fitted):
    options = {"temperature": 0.9, "top_k": 5, "random_state": 3}
    text = fitted.generate("to be", 40, **options)
    assert len(text) == 45
    assert fitted.generate("to be", 40, cached=False, **options) == text
    others = {fitted.generate("to be", 40, temperature=2, random_state=seed) for seed in range(8)}
    assert len(others) > 1  # the seed decides what is drawn


def test_attention_of_a_text(fitted):
    attention = fitted.attention("to be or not")
    assert attention.queries == attention.keys == list("to be or not")
    assert attention.weights.shape == (1, 2, 12, 12)
    np.testing.assert_allclose(attention.weights.sum(-1), 1, rtol=1e-5)
    assert (np.triu(attention.head(0, 1), 1) == 0).all()


def test_a_long_prompt_is_refused_or_truncated_as_asked(fitted):
    with pytest.raises(InvalidInputError, match=r"prompt has 42 tokens; allowed: at most n_positions=16"):
        fitted.generate(TEXT[:42])
    with pytest.raises(InvalidInputError, match=r"text has 42 tokens"):
        fitted.attention(TEXT[:42])
    with pytest.warns(GlassnetWarning, match="the last 16 are read"):
        long = fitted.generate(TEXT[:42], 8, temperature=0, truncate=True)
    assert long == TEXT[:42] + fitted.generate(TEXT[26:42], 8, temperature=0)[16:]


def test_byte_pairs_write_any_text():
    net = small(vocabulary="byte-pairs", vocabulary_size=280).fit(TEXT)
    assert net.generate("Ω", 5, random_state=0).startswith("Ω")
    assert np.isfinite(net.loss("猫 and dog"))


def test_resumed_kept_and_pickled(tmp_path):
    torch.set_num_threads(1)
    whole = small(max_iter=3).fit(TEXT)
    small(max_iter=3).fit(TEXT, observers=[Checkpoint(tmp_path / "all", keep=9)])
    again = small(max_iter=3).fit(TEXT, resume=tmp_path / "all" / "epoch-00002.safetensors")
    assert again.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(again.state_.arrays["parameters"], whole.state_.arrays["parameters"])
    text = whole.generate("to", 20, random_state=0)
    for same in (load_run(save_run(tmp_path / "run", whole)), pickle.loads(pickle.dumps(whole))):
        assert same.generate("to", 20, random_state=0) == text


def test_validation_text_and_early_stopping():
    net = small().fit(TEXT, validation=TEXT[:80])
    assert net.validation_loss_curve_[-1] == pytest.approx(net.loss(TEXT[:80]), rel=1e-5)
    stopped = small(early_stopping=True, tol=10.0, n_iter_no_change=2, max_iter=9).fit(TEXT)
    assert stopped.n_iter_ == len(stopped.validation_loss_curve_) == 3


def test_bad_input_is_named(fitted):
    with pytest.raises(InvalidInputError, match="text is empty"):
        small().fit("")
    with pytest.raises(InvalidInputError, match="text has 1 token"):
        small().fit("a")
    with pytest.raises(InvalidInputError, match=r"text is \['a'\]; allowed: a text"):
        small().fit(["a"])
    with pytest.raises(UnknownNameError, match="byte-pairs, characters"):
        small(vocabulary="words").fit(TEXT)
    with pytest.raises(InvalidInputError, match=r"character 'Q' \(place 3\) is outside the vocabulary"):
        fitted.generate("to Q")
    with pytest.raises(InvalidInputError, match="prompt is empty"):
        fitted.generate("")
    with pytest.raises(InvalidInputError, match="temperature=-1"):
        fitted.generate("to", temperature=-1)
    with pytest.raises(InvalidInputError, match="n_tokens must be at least 0"):
        fitted.generate("to", -1)
