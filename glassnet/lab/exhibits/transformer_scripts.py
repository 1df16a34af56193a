"""The Transformer exhibit, written out as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.lab.exhibits.transformer import PARTS

if TYPE_CHECKING:
    from glassnet.lab.exhibits.transformer import TransformerSettings

_TRANSLATION = """\
from glassnet import load_trained

translator = load_trained("translator-multi30k")
source = {s.sentence!r}
target = translator.translate([source], beam_size={s.beam_size})[0]
print(target)

seen = translator.attention(source, target).{part}
weights = seen.head(layer={layer}, head={head})
queries = {queries}
"""

_ALL = """\
for token, row in zip(queries, weights):
    print(f"{token!r} looks at {seen.keys[row.argmax()]!r}: {row.max():.1%}")
"""

_ONE = """\
print(f"{{queries[{i}]!r}} looks at")
for key, weight in zip(seen.keys, weights[{i}]):
    print(f"{{key!r}} {{weight:.1%}}")
"""

_INSTEAD = """\

print("what could stand there")
for token, probability in translator.alternatives(source, target)[{i}]:
    print(f"{{token!r}} {{probability:.1%}}")
"""

_PRONOUNS = """\
from glassnet import load_trained
from glassnet.data.pronouns import ACTOR, IT, PLACE, PronounSentence
from glassnet.networks.pronoun_experiment import reader_picture
from glassnet.networks.pronoun_reader import word_numbers

reader = load_trained("pronouns")
for adjective in ("{s.adjective}", "{other}"):
    sentence = PronounSentence("{s.actor}", "{s.verb}", "{s.place}", adjective)
    print(sentence.source)
    for pronoun, probability in zip(reader.classes_, reader.predict_proba(word_numbers([sentence]))[0]):
        print(f"{{pronoun}} {{probability:.1%}}")
    looks = reader_picture(reader, sentence).head(layer={layer}, head={head})
    print(f"it looks at {{sentence.actor}}: {{looks[IT, ACTOR]:.1%}}")
    print(f"it looks at {{sentence.place}}: {{looks[IT, PLACE]:.1%}}")
"""

_WRITING = """\
from itertools import islice

from glassnet import load_trained

model = load_trained("gpt-shakespeare")
prompt = {s.prompt!r}
how = {{"temperature": {s.temperature}, "top_k": {top_k}, "random_state": {s.seed}}}
print(model.generate(prompt, {step}, **how))
following = next(islice(model.write(prompt, **how), {step}, None))
print("what could come next")
for token, probability in zip(following.candidates[:12], following.probabilities):
    print(f"{{token!r}} {{probability:.1%}}")
"""


def translation(s: TransformerSettings, layer: int, head: int | None, word: int) -> str:
    """Return the script of a translation, layer and head counted from 0, the word that looks from 1; 0 is all."""
    queries = '[*seen.queries[1:], "<end>"]  # what is written' if s.part == "translation" else "seen.queries"
    text = _TRANSLATION.format(s=s, layer=layer, head=head, queries=queries, part=PARTS[s.part])
    if not word:
        return text + _ALL
    return text + _ONE.format(i=word - 1) + (_INSTEAD.format(i=word - 1) if s.part != "source" else "")


def pronouns(s: TransformerSettings, other: str, layer: int, head: int | None) -> str:
    """Return the script of two sentences; ``other`` is the second adjective."""
    return _PRONOUNS.format(s=s, other=other, layer=layer, head=head)


def writing(s: TransformerSettings, step: int) -> str:
    """Return the script of a text after ``step`` tokens."""
    return _WRITING.format(s=s, top_k=s.top_k or None, step=step)
