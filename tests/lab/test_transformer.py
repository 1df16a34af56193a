"""The Transformer exhibit against the networks asked directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from glassnet import load_trained
from glassnet.data.pronouns import ACTORS, IT, PLACES
from glassnet.errors import InvalidInputError
from glassnet.lab.exhibits.transformer import MOST_WRITTEN, TransformerExhibit, TransformerSettings

pytest.importorskip("tokenizers", reason="tokenizers is not installed")


def exhibit(step: int = 0, **settings) -> TransformerExhibit:
    made = TransformerExhibit(TransformerSettings(**settings))
    if step:
        made.step(step)
    return made


@pytest.mark.parametrize(
    ("part", "index", "layer", "head"), [("translation", 2, 2, 1), ("source", 0, 1, 0), ("target", 1, 6, 8)]
)
def test_the_attention_shown_is_the_modules(part, index, layer, head):
    net = load_trained("translator-multi30k")
    shown = exhibit(sentence="Two dogs run.", beam_size=2, part=part, layer=layer, head=head).frame()
    assert shown.values["translation"] == net.translate(["Two dogs run."], beam_size=2)[0]
    encode = net.vocabulary_.encode
    tokens = [[*encode("Two dogs run."), 2], [1, *encode(shown.values["translation"])]]
    with torch.no_grad():
        logits, weights = net.module_(*(torch.tensor([ids]) for ids in tokens), return_attention=True)
    layers = (weights.encoder, weights.decoder, weights.cross)[index]
    one = layers[min(layer, len(layers)) - 1][0]
    expected = one[min(head, len(one)) - 1] if head else one.mean(0)
    np.testing.assert_allclose(shown.arrays["weights"], expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(shown.arrays["weights"].sum(1), 1, atol=1e-5)
    assert shown.arrays["heads"].shape == (len(layers), len(one), *expected.shape)
    assert shown.arrays["heads"].min() >= 128
    assert len(shown.values["queries"]) == len(expected)
    likeliest = net.vocabulary_.tokens(logits[0].argmax(-1))
    assert [place[0][0] for place in shown.values["alternatives"]] == likeliest


def test_what_is_written_stands_where_it_is_looked_from():
    values = exhibit(sentence="A man is riding a bike.").frame().values
    assert "".join(values["queries"][:-1]) == values["translation"]
    assert values["queries"] == values["written"]
    assert values["queries"][-1] == "<end>"
    assert exhibit(part="target").frame().values["queries"][0] == "<begin>"


def test_the_animal_was_too_tired_and_the_street_too_wide():
    shown = exhibit(mode="pronouns").frame()
    tired, wide = shown.values["sentences"]
    assert (tired["words"][-1], wide["words"][-1]) == ("tired", "wide")
    assert (tired["pronoun"], wide["pronoun"]) == (tired["right"], wide["right"]) == ("es", "sie")
    assert not shown.values["isLearned"]
    for weights, meant, other in zip(shown.arrays["weights"], (1, 5), (5, 1), strict=True):
        assert weights[IT, meant] > weights[IT, other]


def test_the_reader_shown_is_the_right_one_on_many_sentences():
    """Its attention turns with the adjective, and its answer, in every pair of nouns."""
    made, seen = exhibit(mode="pronouns"), []
    for actor in ACTORS:
        for place in PLACES:
            made.settings = made.settings.changed({"actor": actor, "place": place})
            shown = made.frame()
            seen += [sentence["pronoun"] == sentence["right"] for sentence in shown.values["sentences"]]
    assert np.mean(seen) > 0.98
    assert exhibit(mode="pronouns", actor="cat", place="river").frame().values["isLearned"] in (True, False)


@pytest.mark.parametrize("how", [{"temperature": 0.5, "top_k": 4, "seed": 7}, {"temperature": 0.0}])
def test_the_text_is_that_of_generate_and_so_is_what_comes_next(how):
    net, step = load_trained("gpt-shakespeare"), 140  # beyond the 128 characters it sees
    made = exhibit(step, mode="write", prompt="JULIET:", **how)
    values = made.frame().values
    options = {"temperature": how["temperature"], "top_k": how.get("top_k"), "random_state": how.get("seed", 0)}
    assert values["text"] == net.generate("JULIET:", step, **options)
    assert values["text"] + values["drawn"] == net.generate("JULIET:", step + 1, **options)
    assert values["drawn"] in [token for token, _ in values["next"]]
    weights = made.frame().arrays["weights"]
    seen = net.attention(values["text"][-len(weights) :])
    np.testing.assert_allclose(weights, seen.weights[3].mean(0)[-1], atol=1e-6)
    made.seek(20)
    assert made.frame().values["text"] == net.generate("JULIET:", 20, **options)
    made.step(30)
    assert made.frame().values["text"] == net.generate("JULIET:", 50, **options)


def test_the_pen_stops_at_the_end_of_the_page():
    made = exhibit(mode="write", temperature=0)
    made.history.step = made.history.last = MOST_WRITTEN - 1
    made.history.advance(5)
    assert made.history.step == made.history.last == MOST_WRITTEN
    assert made.history.epoch is None


@pytest.mark.parametrize("wrong", [{"sentence": "  "}, {"sentence": "a" * 121}, {"temperature": 2.1}, {"actor": "Cow"}])
def test_what_is_out_of_bounds_is_refused(wrong):
    with pytest.raises(ValidationError):
        TransformerSettings(**wrong)


def test_characters_that_shakespeare_never_wrote_are_named():
    with pytest.raises(InvalidInputError, match="'ß'"):
        exhibit(mode="write", prompt="Straße")


def test_only_the_writer_has_steps():
    assert exhibit().history is None
    with pytest.raises(InvalidInputError, match="no steps"):
        exhibit(mode="pronouns").step(1)
