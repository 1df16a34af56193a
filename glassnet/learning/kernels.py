"""Every compiled kernel of glassnet: the fast paths of the formulas, for small work.

Each kernel makes many steps in one call and is tested equal to the formula it stands for,
which lies in the file that bears its name. All kernels live in this one file, and what they are
written in, `glassnet.learning.kernels_lanes`, in one more: numba's cache does not notice changes
across files, so whoever compiles clears it when either has changed. They hold no lock and start no threads
(``parallel=True`` can abort a process that calls from two threads); many fits at once run
in a thread pool.

Dense networks lie units x samples, and one instruction works on `LANES` samples at a time: the
compiler does not find that by itself in loops as short as a small network's. Matrix products
are made in tiles of eight sums, which the processor's registers hold.

All of it is compiled for float32 and for float64, where the rational tanh and the polynomial
exponential give way to the exact ones. NaN and infinities are not assumed away, so a diverging loss is seen.
"""

from __future__ import annotations

# pyright: reportCallIssue=false
# (what makes the code of an instruction takes more arguments than the instruction)
import math

import numpy as np
from numba import njit

from glassnet.learning.compiled import check_runs, supports
from glassnet.learning.kernels_lanes import (
    FLAGS,
    LANES,
    exp,
    like,
    load,
    log,
    pick,
    store,
    store_totals,
    tanh,
    total,
    where_above,
)

__all__ = ["check_runs", "dense_steps", "hopfield_sweep", "lms_steps", "perceptron_steps", "supports"]

OPTIONS = {"cache": True, "nogil": True, "fastmath": set(FLAGS)}
# a part of a kernel: a call costs more than the work of a small layer
PART = {**OPTIONS, "forceinline": True}

# columns and rows of a matrix taken at a time: what belongs to them then stays in the nearest memory
COLUMNS, ROWS = 256, 32

LEAKY = 0.02


@njit(**PART)
def activate(code, h, first, stop, n):
    """Turn pre-activations h[first:stop] of n samples into activations, in place."""
    for r in range(first, stop):
        for b in range(0, n, LANES):
            z = load(h, r, b)
            if code == 1:
                z = tanh(z)
            elif code == 2:
                z = like(z, 0.5) * (like(z, 1.0) + tanh(like(z, 0.5) * z))
            elif code == 3:
                z = where_above(z, z, like(z, 0.0) * z)  # keeps NaN
            elif code == 4:
                z = where_above(z, z, like(z, LEAKY) * z)
            store(h, r, b, z)


@njit(**PART)
def times_derivative(code, delta, h, first, stop, n):
    """Multiply delta[first:stop] by the activation's derivative, which is a function of h."""
    for r in range(first, stop):
        for b in range(0, n, LANES):
            d, y = load(delta, r, b), load(h, r, b)
            one = like(y, 1.0)
            if code == 1:
                d = d * (one - y * y)
            elif code == 2:
                d = d * (y * (one - y))
            elif code == 3:
                d = d * where_above(y, one, like(y, 0.0))
            elif code == 4:
                d = d * where_above(y, one, like(y, LEAKY))
            store(delta, r, b, d)


@njit(**PART)
def output_delta(loss, z, first, t, delta, n_out, n):
    """Write delta = w (output - target) for a batch; return its summed, weighted loss.

    Rows first to first + n_out of z hold logits, of delta the result; t holds the targets and, in
    its last row, w: the weight of each sample divided by the batch's, 0 for padding.
    """
    zero = like(load(z, first, 0), 0.0)
    lost, one = zero, like(zero, 1.0)
    for b in range(0, n, LANES):
        w = load(t, n_out, b)
        if loss == 2:
            lost = lost + where_above(w, w * _softmax_delta(z, first, t, delta, n_out, b, w), zero)
            continue
        for o in range(n_out):
            x, y = load(z, first + o, b), load(t, o, b)
            if loss == 0:
                error = x - y
                value = like(x, 0.5) * error * error
            else:
                e = exp(where_above(x, zero - x, x))
                value = log(one + e) + where_above(x, x, zero) - x * y
                error = where_above(x, one, e) / (one + e) - y
            lost = lost + where_above(w, w * value, zero)  # no sample's loss where padding has weight 0
            store(delta, first + o, b, w * error)
    return total(lost)


@njit(**PART)
def _softmax_delta(z, first, t, delta, n_out, b, w):
    """Write w (softmax(z) - target) for the samples from b on; return their losses."""
    top = load(z, first, b)
    for o in range(first + 1, first + n_out):
        top = where_above(load(z, o, b) - top, load(z, o, b), top)
    norm = like(w, 0.0)
    for o in range(first, first + n_out):
        e = exp(load(z, o, b) - top)
        norm = norm + e
        store(delta, o, b, e)
    lost, log_norm, scale = like(w, 0.0), log(norm) + top, like(w, 1.0) / norm
    for o in range(n_out):
        y = load(t, o, b)
        lost = lost + y * (log_norm - load(z, first + o, b))
        store(delta, first + o, b, w * (load(delta, first + o, b) * scale - y))
    return lost


@njit(**PART)
def add_products(weight, w, row, column, n_rows, n_columns, source, s, target, t, n):
    """Add to each target[t + r] the sum over c of weight[w + r row + c column] source[s + c]."""
    zero = like(load(source, s, 0), 0.0)
    for b in range(0, n, LANES):
        for first in range(0, n_columns, COLUMNS):
            columns = range(first, min(first + COLUMNS, n_columns))
            for r in range(0, n_rows - 7, 8):
                k, a0 = w + r * row + first * column, zero
                a1 = a2 = a3 = a4 = a5 = a6 = a7 = zero
                for c in columns:
                    x = load(source, s + c, b)
                    a0 = a0 + pick(weight, k) * x
                    a1 = a1 + pick(weight, k + row) * x
                    a2 = a2 + pick(weight, k + 2 * row) * x
                    a3 = a3 + pick(weight, k + 3 * row) * x
                    a4 = a4 + pick(weight, k + 4 * row) * x
                    a5 = a5 + pick(weight, k + 5 * row) * x
                    a6 = a6 + pick(weight, k + 6 * row) * x
                    a7 = a7 + pick(weight, k + 7 * row) * x
                    k += column
                for i, a in enumerate((a0, a1, a2, a3, a4, a5, a6, a7)):
                    store(target, t + r + i, b, load(target, t + r + i, b) + a)
            for r in range(n_rows // 8 * 8, n_rows):
                a = load(target, t + r, b)
                for c in columns:
                    a = a + pick(weight, w + r * row + c * column) * load(source, s + c, b)
                store(target, t + r, b, a)


@njit(**PART)
def sum_products(delta, d, source, s, gradient, g, n_out, n_in, n):
    """Write the sum over samples of delta[d + o] source[s + i] to gradient[g + o n_in + i], for all o and i."""
    zero = like(load(delta, d, 0), 0.0)
    for first in range(0, n_out - 1, ROWS):
        for i in range(0, n_in - 3, 4):
            for o in range(first, min(first + ROWS, n_out - 1), 2):
                a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = zero
                for b in range(0, n, LANES):
                    p, q = load(delta, d + o, b), load(delta, d + o + 1, b)
                    x0, x1 = load(source, s + i, b), load(source, s + i + 1, b)
                    x2, x3 = load(source, s + i + 2, b), load(source, s + i + 3, b)
                    a0, a1, a2, a3 = a0 + p * x0, a1 + p * x1, a2 + p * x2, a3 + p * x3
                    a4, a5, a6, a7 = a4 + q * x0, a5 + q * x1, a6 + q * x2, a7 + q * x3
                k = g + o * n_in + i
                store_totals(gradient, k, a0, a1, a2, a3)
                store_totals(gradient, k + n_in, a4, a5, a6, a7)
    for o in range(n_out):
        for i in range(n_in // 4 * 4 if o < n_out // 2 * 2 else 0, n_in):
            a = zero
            for b in range(0, n, LANES):
                a = a + load(delta, d + o, b) * load(source, s + i, b)
            gradient[g + o * n_in + i] = total(a)


@njit(**PART)
def forward(sizes, activations, parameters, h, n):
    """Fill h (all units, n) layer by layer from the inputs in its first rows."""
    w, below = 0, 0
    for layer in range(len(activations)):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        above, bias = below + n_in, w + n_out * n_in
        for o in range(n_out):
            for b in range(0, n, LANES):
                store(h, above + o, b, pick(parameters, bias + o))
        add_products(parameters, w, n_in, 1, n_out, n_in, h, below, h, above, n)
        activate(activations[layer], h, above, above + n_out, n)
        w, below = bias + n_out, above


@njit(**PART)
def backward(sizes, activations, parameters, h, delta, gradient, n):
    """Fill the gradient from delta's last rows, carrying delta (all units, n) down."""
    zero = like(load(h, 0, 0), 0.0)
    w, above = len(parameters), len(h)
    for layer in range(len(activations) - 1, -1, -1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        above -= n_out
        below, w = above - n_in, w - n_out * (n_in + 1)
        sum_products(delta, above, h, below, gradient, w, n_out, n_in, n)
        for o in range(n_out):
            a = zero
            for b in range(0, n, LANES):
                a = a + load(delta, above + o, b)
            gradient[w + n_out * n_in + o] = total(a)
        if layer > 0:
            for i in range(below, above):
                for b in range(0, n, LANES):
                    store(delta, i, b, zero)
            add_products(parameters, w, 1, n_in, n_in, n_out, delta, above, delta, below, n)
            times_derivative(activations[layer - 1], delta, h, below, above, n)


@njit(**PART)
def add_decay(sizes, parameters, gradient, strength):
    """Add strength times the weights, not the biases, to the gradient."""
    start = 0
    for layer in range(len(sizes) - 1):
        n = sizes[layer] * sizes[layer + 1]
        weight, slope = parameters[start : start + n], gradient[start : start + n]
        for k in range(n):
            slope[k] += strength * weight[k]
        start += n + sizes[layer + 1]


@njit(**PART)
def descend(solver, parameters, gradient, slot_1, slot_2, rate, settings, step):
    """Make one step of SGD (solver 0) or Adam (1); settings: momentum, nesterov, beta_1, beta_2, epsilon."""
    momentum, nesterov = settings[0], settings[1]
    beta_1, beta_2, epsilon = settings[2], settings[3], settings[4]
    one = parameters.dtype.type(1)
    if solver == 0 and momentum == 0:
        for k in range(len(parameters)):
            parameters[k] -= rate * gradient[k]
    elif solver == 0:
        for k in range(len(parameters)):
            slot_1[k] = momentum * slot_1[k] - rate * gradient[k]
            parameters[k] += slot_1[k] + nesterov * (momentum * slot_1[k] - rate * gradient[k] - slot_1[k])
    else:
        scale = parameters.dtype.type(1 / math.sqrt(1 - float(beta_2) ** step))
        step_size = parameters.dtype.type(float(rate) / (1 - float(beta_1) ** step))
        for k in range(len(parameters)):
            g = gradient[k]
            slot_1[k] += (one - beta_1) * (g - slot_1[k])
            slot_2[k] = beta_2 * slot_2[k] + (one - beta_2) * g * g
            parameters[k] -= step_size * slot_1[k] / (math.sqrt(slot_2[k]) * scale + epsilon)


@njit(**PART)
def gather(X, target, sample_weight, mean_weight, divisor, rows, h, t, padded):
    """Copy a batch into units x samples, with each sample's share in the loss; pad with shares of 0."""
    n, n_out = len(rows), target.shape[1]
    for b in range(padded):
        r = rows[min(b, n - 1)]
        weight = sample_weight[r] / mean_weight if len(sample_weight) else 1.0
        t[n_out, b] = weight / divisor if b < n else 0
        for o in range(n_out):
            t[o, b] = target[r, o]
    for first in range(0, X.shape[1], LANES):  # a few columns at a time: their rows of h are near then
        for b in range(padded):
            r = rows[min(b, n - 1)]
            for i in range(first, min(first + LANES, X.shape[1])):
                h[i, b] = X[r, i]


@njit(**OPTIONS)
def dense_steps(
    X, target, sample_weight, indices, starts, stops,
    sizes, activations, loss, sums, solver, rates, settings, alpha,
    parameters, slot_1, slot_2, first_step, h, delta, t, losses,
):  # fmt: skip
    """Make one step of backpropagation per batch; write the batches' mean losses.

    h, delta and t are room to work in, for all units and for the targets, as wide as the largest
    batch, rounded up to whole `LANES`.
    """
    gradient = np.empty_like(parameters)
    n_out = sizes[-1]
    outputs = len(h) - n_out
    mean_weight = np.sum(sample_weight) / len(X) if len(sample_weight) else 1.0
    n, divisor = 0, 1
    for s in range(len(starts)):
        if s == 0 or starts[s] != starts[s - 1] or stops[s] != stops[s - 1]:
            n = (stops[s] - starts[s] + LANES - 1) // LANES * LANES
            rows = indices[starts[s] : stops[s]]
            divisor = 1 if sums else len(rows)
            gather(X, target, sample_weight, mean_weight, divisor, rows, h, t, n)
        forward(sizes, activations, parameters, h, n)
        losses[s] = output_delta(loss, h, outputs, t, delta, n_out, n)
        if sums:
            losses[s] /= stops[s] - starts[s]
        times_derivative(activations[-1], delta, h, outputs, len(h), n)
        backward(sizes, activations, parameters, h, delta, gradient, n)
        if alpha > 0:
            add_decay(sizes, parameters, gradient, parameters.dtype.type(alpha / (divisor * mean_weight)))
        descend(solver, parameters, gradient, slot_1, slot_2, rates[s], settings, first_step + s)


@njit(**OPTIONS)
def perceptron_steps(X, target, sample_weight, order, learning_rate, variant, weight, bias, kept_weight, kept_bias, counts, mistakes):  # fmt: skip  # noqa: E501
    """Make one step of Rosenblatt's rule for each sample in ``order``; write its mistakes.

    Variants as in `glassnet.learning.perceptron_rule`: 0 plain, 1 averaged, 2 pocket, with their
    kept weights; counts (n_units, 2) holds the steps averaged, or the current and the best run.
    """
    one = X.dtype.type(1)
    for s in range(len(order)):
        row = X[order[s]]
        wrong = 0
        for k in range(len(bias)):
            z = bias[k]
            for i in range(len(row)):
                z += weight[k, i] * row[i]
            error = target[order[s], k] - (one if z >= 0 else X.dtype.type(0))
            if variant == 2:
                counts[k, 0] = 0 if error != 0 else counts[k, 0] + 1
                if counts[k, 0] > counts[k, 1]:
                    counts[k, 1] = counts[k, 0]
                    kept_weight[k] = weight[k]
                    kept_bias[k] = bias[k]
            if error != 0:
                change = learning_rate * error
                if len(sample_weight):
                    change *= sample_weight[order[s]]
                for i in range(len(row)):
                    weight[k, i] += change * row[i]
                bias[k] += change
                wrong += 1
            if variant == 1:
                counts[k, 0] += 1
                share = one / X.dtype.type(counts[k, 0])
                for i in range(len(row)):
                    kept_weight[k, i] += share * (weight[k, i] - kept_weight[k, i])
                kept_bias[k] += share * (bias[k] - kept_bias[k])
        mistakes[s] = wrong


@njit(**OPTIONS)
def lms_steps(X, target, sample_weight, order, learning_rate, weight, bias, losses):
    """Make one step of the LMS rule for each sample in ``order``; write half its squared error."""
    mean_weight = np.sum(sample_weight) / len(X) if len(sample_weight) else 1.0
    for s in range(len(order)):
        row = X[order[s]]
        w = sample_weight[order[s]] / mean_weight if len(sample_weight) else 1.0
        rate = X.dtype.type(learning_rate * w)
        total = 0.0
        for k in range(len(bias)):
            z = bias[k]
            for i in range(len(row)):
                z += weight[k, i] * row[i]
            error = target[order[s], k] - z
            total += 0.5 * w * error * error
            for i in range(len(row)):
                weight[k, i] += rate * error * row[i]
            bias[k] += rate * error
        losses[s] = total


@njit(**OPTIONS)
def hopfield_sweep(weight, states, fields, rows, order, zero, drop):
    """Update every unit of the given rows of states once; keep the fields W s up to date.

    A unit whose field is no larger than zero[unit] keeps its state. drop[k] becomes the
    amount by which the energy of rows[k] fell.
    """
    n_units = len(weight)
    for k in range(len(rows)):
        state, field, fell = states[rows[k]], fields[rows[k]], 0.0
        for unit in order:
            if field[unit] * state[unit] < -zero[unit]:
                state[unit] = -state[unit]
                fell += 2.0 * abs(field[unit])
                change, row = state[unit] + state[unit], weight[unit]
                for j in range(n_units):
                    field[j] += change * row[j]
        drop[k] = fell


if __name__ == "__main__":
    from glassnet.learning.kernel_engine import compile_kernels

    compile_kernels()
