"""The Transformer: training beside a loop over torch.nn.Transformer, decoding with and without its cache, read-out.

Training: sentence pairs of Multi30k (without its files, made-up tokens of the same lengths), width 256,
3 + 3 layers, 8,000 shared tokens, label smoothing, dropout, Adam. Both see each sentence once, in
equally many batches; the loop takes them as they come and pads to the longest, ours are sorted by length.
"""

from __future__ import annotations

import resource
import sys
from functools import partial
from typing import Any

import numpy as np

from benchmarks.harness.workload import OURS, Check, Run, Workload

N_PAIRS, MAX_TOKENS, N_VOCABULARY = 1000, 2000, 8000
SIZES = {"d_model": 256, "n_heads": 4, "d_ff": 1024, "n_layers": 3, "dropout": 0.1}
LENGTH = 64


def pairs() -> tuple[list[list[int]], list[list[int]]]:
    """Return tokens of the sources and targets."""
    from glassnet.data.text import load_multi30k
    from glassnet.data.vocabulary import BytePairVocabulary
    from glassnet.errors import DataNotFoundError

    try:
        data = load_multi30k()
    except DataNotFoundError:
        rng = np.random.default_rng(0)
        lengths = rng.integers(6, 24, (N_PAIRS, 2))
        sources, targets = ([rng.integers(3, N_VOCABULARY, n).tolist() for n in lengths[:, side]] for side in range(2))
        return sources, targets
    source, target = data.source_train, data.target_train
    vocabulary = BytePairVocabulary.fit([*source, *target], N_VOCABULARY)
    return vocabulary.encode_all(source[:N_PAIRS]), vocabulary.encode_all(target[:N_PAIRS])


def ours(precision: str) -> tuple[Run, Check]:
    from glassnet.learning.autograd import AutogradEngine
    from glassnet.learning.dropout import global_stream
    from glassnet.learning.module_arrays import ModuleArrays, initial_arrays
    from glassnet.learning.optimizers import Solver
    from glassnet.learning.sequences import TokenBatchEngine, Translation
    from glassnet.networks.transformer import Transformer
    from glassnet.training.loop import advance
    from glassnet.training.state import TrainingState

    objective = Translation(*pairs(), label_smoothing=0.1)
    with global_stream(0, "weights"):
        module = Transformer(N_VOCABULARY, **SIZES)  # type: ignore[arg-type]
    solver, arrays = Solver("adam", 1e-4), initial_arrays(module)
    arrays |= solver.initial_slots(arrays["parameters"])
    inner = AutogradEngine(ModuleArrays(module, arrays), solver, objective, precision=precision)
    engine = TokenBatchEngine(inner, objective.lengths, MAX_TOKENS)
    state = TrainingState(arrays, engine, 0, n_batches(objective.lengths), 1)
    return lambda: advance(state, state.n_samples), lambda losses: done(module, objective.lengths, losses)


def loop(precision: str) -> tuple[Run, Check]:
    """Train torch.nn.Transformer as its documentation does: sentences as they come, padded to the longest."""
    import math

    import torch
    import torch.nn.functional as F
    from torch import nn

    from glassnet.learning.sequences import Translation, padded
    from glassnet.networks.transformer import sinusoidal_positions

    data = Translation(*pairs())
    d, n = SIZES["d_model"], SIZES["n_layers"]
    torch.manual_seed(0)
    body = nn.Transformer(
        d,
        SIZES["n_heads"],
        n,
        n,
        SIZES["d_ff"],
        SIZES["dropout"],
        batch_first=True,  # type: ignore[arg-type]
    )
    body.encoder.norm = body.decoder.norm = None
    embedding, dropout = nn.Embedding(N_VOCABULARY, int(d)), nn.Dropout(SIZES["dropout"])
    nn.init.normal_(embedding.weight, std=d**-0.5)
    model, place = nn.ModuleList([body, embedding]), sinusoidal_positions(200, int(d))
    adam = torch.optim.Adam(model.parameters(), 1e-4, betas=(0.9, 0.98), eps=1e-9)

    def embed(tokens: Any) -> Any:
        return dropout(embedding(tokens) * math.sqrt(d) + place[: tokens.shape[1]])

    def step(rows: Any) -> float:
        source, _ = padded([data.sources[i] for i in rows], "cpu")
        target, _ = padded([data.targets[i] for i in rows], "cpu")
        written, wanted = target[:, :-1], target[:, 1:]
        past = nn.Transformer.generate_square_subsequent_mask(written.shape[1], dtype=torch.bool)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            hidden = body(
                embed(source), embed(written), tgt_mask=past, src_key_padding_mask=source == 0,
                tgt_key_padding_mask=written == 0, memory_key_padding_mask=source == 0,
            )  # fmt: skip
            logits = F.linear(hidden, embedding.weight)
        loss = F.cross_entropy(logits.float().flatten(0, 1), wanted.flatten(), ignore_index=0, label_smoothing=0.1)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    batches = np.array_split(np.random.default_rng(0).permutation(N_PAIRS), n_batches(data.lengths))
    return lambda: [step(rows) for rows in batches], lambda losses: done(model, data.lengths, losses)


def n_batches(lengths: np.ndarray) -> int:
    """Return in how many batches ours come."""
    from glassnet.data.text import token_batches

    return len(token_batches(lengths, MAX_TOKENS, 0, 0))


def done(model: Any, lengths: np.ndarray, losses: Any) -> dict[str, Any]:
    """Return what must be equal: target tokens, batches, parameters, and nearly the loss (in nats per token)."""
    sizes = {"parameters": sum(p.numel() for p in model.parameters()), "batches": len(losses)}
    return sizes | {"target_tokens": int(lengths[:, 1].sum()), "loss": round(float(np.mean(losses)), 3)}


def decoding(n_rows: int, cached: bool) -> tuple[Run, Check]:
    import torch

    from glassnet.networks.decoding import greedy
    from glassnet.networks.transformer import Transformer

    torch.manual_seed(0)
    model = Transformer(N_VOCABULARY, **SIZES).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        model.embedding.weight[2] = 0.0  # the end token is never the likeliest: every row is written to the end
    source = torch.randint(3, N_VOCABULARY, (n_rows, 20))
    return lambda: greedy(model, source, max_length=LENGTH, cached=cached), lambda tokens: written(tokens.numpy())


def decoder_weights() -> list[tuple[int, int]]:
    """Return (inputs, outputs) of every product that the decoder makes for a new token."""
    d, wide = int(SIZES["d_model"]), int(SIZES["d_ff"])
    layer = [(d, 3 * d), (d, d), (d, d), (d, d), (d, wide), (wide, d)]
    return layer * int(SIZES["n_layers"]) + [(d, N_VOCABULARY)]


def products(n_rows: int) -> tuple[Run, Check]:
    """Make the decoder's products of all steps, and nothing else: no attention, no normalization."""
    import torch

    pairs = [(torch.rand(n_rows, n), torch.rand(n, m)) for n, m in decoder_weights()]

    @torch.inference_mode()
    def run() -> None:
        for _ in range(LENGTH):
            for x, w in pairs:
                x @ w

    return run, lambda _: {"steps": LENGTH}


def written(tokens: np.ndarray) -> dict[str, Any]:
    """Return what must be equal: how much was written, and nearly what."""
    return {"shape": list(tokens.shape), "mean_token": float(tokens.mean())}


def read_out() -> tuple[Run, Check]:
    """Attention of all layers and heads of the paper's base model, for 512 tokens on both sides."""
    import torch

    from glassnet.networks.transformer import Transformer

    model, tokens = Transformer(N_VOCABULARY).eval(), torch.randint(3, N_VOCABULARY, (1, 512))
    before = peak()

    @torch.no_grad()
    def run() -> Any:
        return model(tokens, tokens, return_attention=True)[1]

    def check(weights: Any) -> dict[str, Any]:
        return {"shape": list(weights.cross[0].shape), "under_1_gb": peak() - before < 1e9}

    return run, check


def peak() -> int:
    """Return the most memory, in bytes, that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def training(
    name: str,
    title: str,
    peers: dict[str, Any],
    at_least: float,
    aim: float | None = None,
    against: tuple[str, ...] = (),
) -> Workload:
    """Return the workload of one comparison."""
    return Workload(
        name=name,
        quick=name == "transformer float32",
        title=f"Transformer {SIZES['d_model']}, 3 + 3 layers, {N_PAIRS:,} sentence pairs: {title}",
        peers=peers,
        tolerance={"loss": 0.5},
        at_least=at_least,
        aim=aim,
        against=against,
    )


def beside_torch(precision: str) -> Workload:
    """Return the workload of training in one precision."""
    peers = {OURS: partial(ours, precision), "torch.nn.Transformer": partial(loop, precision)}
    return training(f"transformer {precision}", f"training in {precision}", peers, 1.3, 2)


def decoding_beside_uncached(n_rows: int) -> Workload:
    """Return the workload of writing so many rows; with the cache, a step reads the decoder and little else."""
    return Workload(
        name=f"transformer decoding {n_rows}",
        quick=n_rows == 32,
        title=f"Transformer 256, 3 + 3 layers: {n_rows} rows written to {LENGTH} tokens, with the cache",
        peers={OURS: partial(decoding, n_rows, True), "without the cache": partial(decoding, n_rows, False)},
        tolerance={"mean_token": 1.0},
        at_least=5,
        aim=10,
        bounds={"the decoder's products alone": partial(products, n_rows)},
        steps=LENGTH,
        bytes=4 * sum(n * m for n, m in decoder_weights()) * LENGTH,
    )


WORKLOADS = [
    beside_torch("float32"),
    beside_torch("bfloat16"),
    training(
        "transformer precision",
        "training in bfloat16 beside float32",
        {
            OURS: partial(ours, "bfloat16"),
            "torch.nn.Transformer, float32": partial(loop, "float32"),
            "glassnet, float32": partial(ours, "float32"),
        },
        2,
        against=("torch.nn.Transformer, float32",),
    ),
    decoding_beside_uncached(32),  # eight sentences, of which four beams are kept
    decoding_beside_uncached(8),
    Workload(
        name="transformer read-out",
        title="Transformer, base: attention weights of 512 tokens to 512, all layers and heads",
        peers={OURS: read_out},
        at_most={OURS: 5},
    ),
]
