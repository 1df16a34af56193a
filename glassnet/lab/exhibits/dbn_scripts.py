"""The deep belief network's exhibit, written out as Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glassnet.lab.exhibits import dbn as settings_of

if TYPE_CHECKING:
    from glassnet.lab.exhibits.dbn import DbnSettings

_HEAD = """\
import numpy as np

from glassnet import {names}
from glassnet.data import load

digits = load("mnist5k")
samples = digits.X_test[[np.flatnonzero(digits.y_test == digit)[0] for digit in range(10)]]
"""
_LEARN = """\
net = GenerativeBeliefClassifier(
    ({s.hidden}, {s.hidden}, {s.top}), pretrain_iter={s.pretrain_iter}, pretrain_learning_rate={s.learning_rate!r},
    pretrain_momentum=0.0, n_gibbs_steps={s.gibbs}, max_iter={s.max_iter}, learning_rate_init={rate},
    learning_rate="cosine", batch_size={batch}, random_state={s.seed},
)
stages = net.stages(digits.X_train[:{n_train}], digits.y_train[:{n_train}])
for n in {made}:
    advance(next(stages), n)
"""
_KEPT = """\
for layer in range({n}):
    print(f"error of layer {{layer + 1}}: {{np.mean((net.reconstruct(samples, layer) - samples) ** 2):.4f}}")
activation = net.transform(samples[{s.sample}:{end}], {layer})[0, {unit}]
print(f"unit {unit_name} of layer {layer_name}: {{activation:.4f}}")
"""
_ERROR = """\
wrong = net.predict(digits.X_test[:{n_test}]) != digits.y_test[:{n_test}]
print(f"held-out error {{wrong.mean():.1%}}")
"""
_DREAM = """\
dreams = net.dream({s.digit}, {n}, {s.dream_steps}, random_state={s.dream_seed})
"""
_DREAM_ON = """\
dreams = next(islice(net.dreaming({s.digit}, {n}, random_state={s.dream_seed}), {step}, None))
"""
_READ = """\
print("read as", *net.predict(dreams))
print(f"ink {dreams.mean():.3f}")
"""


def learning(settings: DbnSettings, made: list[int], batch: int, rate: float) -> str:
    """Return the script of the learning; ``made`` are the steps of each stage begun."""
    n_layers = min(len(made), 3)
    text = _HEAD.format(names="GenerativeBeliefClassifier, advance")
    text += _LEARN.format(s=settings, batch=batch, rate=rate, n_train=settings_of.N_TRAIN, made=made)
    text += _kept(settings, [settings.hidden, settings.hidden, settings.top][:n_layers])
    if len(made) < 3:
        return text
    text += _ERROR.format(n_test=settings_of.N_TEST)
    return text + _DREAM.format(s=settings, n=settings_of.N_DREAMS) + _READ


def dreaming(settings: DbnSettings, step: int) -> str:
    """Return the script of the dream."""
    text = "from itertools import islice\n\n" + _HEAD.format(names="load_trained")
    text += f'net = load_trained("{settings_of.TRAINED}")\n' + _kept(settings, 3 * [settings_of.N_SHOWN])
    return text + _DREAM_ON.format(s=settings, n=settings_of.N_DREAMS, step=step) + _READ


def _kept(settings: DbnSettings, units: list[int]) -> str:
    """Return the lines about what the layers, which have so many units, keep of the ten digits."""
    layer = min(settings.look_layer, len(units))
    unit = min(settings.look_unit, settings_of.N_SHOWN, units[layer - 1])
    places = {"layer": layer - 1, "layer_name": layer, "unit": unit - 1, "unit_name": unit}
    return _KEPT.format(n=len(units), s=settings, end=settings.sample + 1, **places)
