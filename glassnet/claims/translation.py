"""A Transformer that translates (Vaswani et al. 2017), here what is seen on photographs (Elliott et al. 2016)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from glassnet.claims.claim import Claim, Scale, at_least, exactly, observed
from glassnet.claims.picture import bars, finish, panels, svg
from glassnet.claims.trained_nets import find_trained, not_there
from glassnet.data.text import load_multi30k
from glassnet.estimators.translator import bleu

NAME = "translator-multi30k"
SOURCE = (
    "A. Vaswani et al. (2017), Attention is all you need: 28.4 on newspapers, a larger task; "
    "D. Elliott, S. Frank, K. Sima'an and L. Specia (2016), Multi30K"
)
LENGTHS = (8, 10, 12, 14)  # words of the source at which the groups of the figure end


def translation(scale: Scale) -> Claim:
    """A small Transformer translates Multi30k's test sentences from English to German at a BLEU of 33 or more."""
    net = find_trained(NAME)
    if net is None:
        return Claim(SOURCE, (), "", undecided=not_there(NAME), expected_verdict="undecided")
    pairs, n = load_multi30k("en", "de"), scale.pick(250, 1000)
    source, target = pairs.source_test[:n], pairs.target_test[:n]
    written = net.translate(source)
    turned = target[1:] + target[:1]
    return Claim(
        source=SOURCE,
        measured=(
            exactly("test sentences", len(written), n),
            at_least("BLEU, cased", bleu(written, target), 33),
            observed("the same against the references of other sentences", bleu(written, turned)),
            observed("sentences translated exactly as the reference has it", np.mean(np.array(written) == target)),
            observed("parameters", sum(p.numel() for p in net.module_.parameters())),
        ),
        figure=_figure(source, written, target),
        data={"multi30k, en to de": pairs.sha256},
        note=f"The first {n:,} of 1,000 sentences of the test set of 2016, beam search of width 4, BLEU by sacrebleu; "
        "one run of `glassnet train transformer --data multi30k --source en --target de`.",
    )


def _figure(source: list[str], written: list[str], target: list[str]) -> str:
    """Draw the BLEU of sentences by their length."""
    group = np.searchsorted(LENGTHS, [len(sentence.split()) for sentence in source])
    names = [f"≤ {LENGTHS[0]}", *(f"{a + 1} to {b}" for a, b in pairwise(LENGTHS))]
    names.append(f"> {LENGTHS[-1]}")
    rows = [np.flatnonzero(group == i) for i in range(len(names))]
    scores = [bleu([written[i] for i in r], [target[i] for i in r]) if len(r) else 0.0 for r in rows]
    figure, (ax,) = panels(width=5)
    bars(ax, names, scores)
    finish(ax, "BLEU by length of the sentence", "words in English", "BLEU")
    return svg(figure)
