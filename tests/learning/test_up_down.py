"""The up-down algorithm against autograd's gradients of what it climbs, and the frequencies of what it draws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from glassnet.learning.contrastive_divergence import Noise
from glassnet.learning.up_down import Memory, Pair, UpDownEngine, UpDownRule, memory_of, pairs_of
from glassnet.training.loop import advance
from glassnet.training.state import TrainingState

SIZES, N_TOP, N_LABELS, N = (6, 5, 4), 7, 3, 8
RNG = np.random.default_rng(0)


def arrays() -> dict[str, np.ndarray]:
    found = {"memory": RNG.normal(size=N_TOP * (SIZES[-1] + N_LABELS) + N_TOP + SIZES[-1] + N_LABELS)}
    for k, (below, above) in enumerate(pairwise(SIZES)):
        shapes = ((above, below), (above,), (above, below), (below,))
        found |= {f"{name}_{k}": RNG.normal(size=shape) for name, shape in zip(Pair._fields, shapes, strict=True)}
    return found


def binary(*shape: int) -> torch.Tensor:
    return torch.from_numpy((RNG.random(shape) < 0.5).astype(float))


def engine(**rule) -> UpDownEngine:
    labels = np.eye(N_LABELS)[np.arange(N) % N_LABELS]
    return UpDownEngine(UpDownRule(**rule), binary(N, SIZES[0]).numpy(), labels)


def layers(found: dict[str, np.ndarray]) -> tuple[list[Pair], Memory]:
    tensors = {name: torch.from_numpy(array.copy()) for name, array in found.items()}
    pairs = pairs_of(tensors)
    return pairs, memory_of(tensors["memory"], len(pairs[-1].recognition_bias) + N_LABELS)


def log_likelihood(states: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    return (states * field - torch.nn.functional.softplus(field)).sum()


def test_each_pair_climbs_the_likelihood_of_the_states_it_is_to_say():
    awake, asleep = ([binary(N, size) for size in SIZES] for _ in range(2))
    found = arrays()
    (before, _), (after, _) = layers(found), layers(found)
    for pair in before:
        for tensor in pair:
            tensor.requires_grad_()
    total = sum(
        log_likelihood(awake[k], awake[k + 1] @ pair.generative + pair.generative_bias)
        + log_likelihood(asleep[k + 1], asleep[k] @ pair.recognition.T + pair.recognition_bias)
        for k, pair in enumerate(before)
    )
    total.backward()
    with torch.no_grad():
        loss = engine().learn_pairs(after, awake, asleep, 0.1)
        seen = torch.sigmoid(awake[1] @ before[0].generative + before[0].generative_bias)
    assert loss == pytest.approx(((awake[0] - seen) ** 2).mean().item())
    for old, new in zip(before, after, strict=True):
        for tensor, changed in zip(old, new, strict=True):
            torch.testing.assert_close(changed, tensor.detach() + 0.1 * tensor.grad, rtol=1e-10, atol=1e-12)


def test_the_memory_climbs_the_difference_of_two_free_energies():
    found = arrays()
    (_, before), (_, after) = layers(found), layers(found)
    seen, dream = (torch.cat([binary(N, SIZES[-1]), torch.softmax(binary(N, N_LABELS), 1)], 1) for _ in range(2))
    for tensor in before:
        tensor.requires_grad_()

    def free_energy(v):
        z = v @ before.weight.T + before.hidden_bias
        return -(v @ before.visible_bias).sum() - torch.nn.functional.softplus(z).sum()

    (free_energy(dream) - free_energy(seen)).backward()
    with torch.no_grad():
        hidden, dreamt = (torch.sigmoid(v @ before.weight.T + before.hidden_bias) for v in (seen, dream))
        engine().learn_memory(after, seen, hidden, dream, dreamt, 0.1)
    for tensor, changed in zip(before, after, strict=True):
        torch.testing.assert_close(changed, tensor.detach() + 0.1 * tensor.grad, rtol=1e-10, atol=1e-12)


def test_states_are_drawn_as_often_as_their_probabilities_say():
    pairs, memory = layers(arrays())
    x = binary(1, SIZES[0]).repeat(40_000, 1)
    awake = engine().wake(pairs, x, Noise(0, 0))
    first = torch.sigmoid(x[0] @ pairs[0].recognition.T + pairs[0].recognition_bias)
    torch.testing.assert_close(awake[1].mean(0), first, atol=0.01, rtol=0)
    second = torch.sigmoid(awake[1] @ pairs[1].recognition.T + pairs[1].recognition_bias)
    torch.testing.assert_close(awake[2].mean(0), second.mean(0), atol=0.01, rtol=0)
    asleep = engine().sleep(pairs, awake[2], Noise(0, 1))
    below = torch.sigmoid(awake[2] @ pairs[1].generative + pairs[1].generative_bias)
    torch.testing.assert_close(asleep[1].mean(0), below.mean(0), atol=0.01, rtol=0)
    visible = torch.sigmoid(asleep[1] @ pairs[0].generative + pairs[0].generative_bias)
    torch.testing.assert_close(asleep[0], visible)
    seen = torch.cat([awake[2], torch.eye(N_LABELS, dtype=x.dtype)[:1].repeat(len(x), 1)], 1)
    hidden, dream, _ = engine(n_gibbs_steps=1).dream(memory, seen, N_LABELS, Noise(0, 2))
    torch.testing.assert_close(hidden, torch.sigmoid(seen @ memory.weight.T + memory.hidden_bias))
    torch.testing.assert_close(dream[:, -N_LABELS:].sum(1), torch.ones(len(x), dtype=x.dtype))
    assert set(dream[:, : SIZES[-1]].unique().tolist()) == {0.0, 1.0}


def test_a_gaussian_sample_is_said_as_a_mean_without_a_sigmoid():
    pairs, _ = layers(arrays())
    asleep = engine(gaussian=True).sleep(pairs, binary(N, SIZES[-1]), Noise(0, 0))
    torch.testing.assert_close(asleep[0], asleep[1] @ pairs[0].generative + pairs[0].generative_bias)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_steps_at_once_are_steps_one_by_one_and_bfloat16_is_near(bfloat16):
    found = {name: np.float32(0.3 * array) for name, array in arrays().items()}
    X, labels = binary(64, SIZES[0]).numpy().astype(np.float32), np.float32(np.eye(N_LABELS)[np.arange(64) % N_LABELS])

    def state(half):
        copies = {name: array.copy() for name, array in found.items()}
        return TrainingState(copies, UpDownEngine(UpDownRule(), X, labels, half), 0, 64, 16)

    one, many, full = state(bfloat16), state(bfloat16), state(False)
    losses = [advance(one, 1)[0] for _ in range(6)]
    np.testing.assert_array_equal(losses, advance(many, 6))
    advance(full, 6)
    for name, array in many.arrays.items():
        np.testing.assert_array_equal(array, one.arrays[name])
        np.testing.assert_allclose(array, full.arrays[name], atol=0.02 if bfloat16 else 0)
        assert (array != found[name]).any()
