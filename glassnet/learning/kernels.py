"""Every compiled kernel of glassnet: the fast paths of the formulas, for tiny work.

Each kernel makes many steps in one call and is tested equal to the formula it stands for,
which lies in the file that bears its name. All kernels live in this one file because
numba's cache does not notice changes across files. They hold no lock and start no threads
(``parallel=True`` can abort a process that calls from two threads); many fits at once run
in a thread pool.

Production runs in float32. The tests call the same source in float64, where the rational
tanh gives way to the exact one. NaN and infinities are not assumed away, so a diverging
loss is seen.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

from glassnet.errors import InvalidInputError
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import NetworkSpec

OPTIONS = {"cache": True, "nogil": True, "fastmath": {"reassoc", "contract", "nsz", "arcp", "afn"}}

ACTIVATION_CODES = {"identity": 0, "tanh": 1, "sigmoid": 2, "relu": 3, "leaky_relu": 4}
LOSS_CODES = {"squared_error": 0, "binary_cross_entropy": 1, "cross_entropy": 2}
SOLVER_CODES = {"sgd": 0, "adam": 1}
# above this many parameters the matrix products of the written-out rule are faster
MAX_PARAMETERS = 1500

# tanh(x) = x P(x^2) / Q(x^2) on [-9, 9]: fitted by iterated least squares to a relative error
# of 2.1e-8, which in float32 leaves an absolute error below 4e-7; beyond 9 it is +-1
P0, P1, P2, P3, P4 = 0.9999999794651775, 0.13381021386120237, 0.0034955830816182165, 2.0609000471822365e-05, 1.3354552090037331e-08  # fmt: skip  # noqa: E501
Q1, Q2, Q3, Q4 = 0.46714336981616206, 0.025876962976796047, 0.0003285626605580573, 7.776512589565467e-07
LEAKY = 0.02


def tanh(x):
    """Hyperbolic tangent: rational in float32, exact in float64."""
    return math.tanh(x)


@overload(tanh, inline="always")
def _tanh(x):
    if x is types.float32:
        p0, p1, p2, p3, p4 = (np.float32(c) for c in (P0, P1, P2, P3, P4))
        q1, q2, q3, q4, one, nine = (np.float32(c) for c in (Q1, Q2, Q3, Q4, 1.0, 9.0))

        def rational(x):
            y = min(max(x, -nine), nine)
            u = y * y
            p = y * (p0 + u * (p1 + u * (p2 + u * (p3 + u * p4))))
            return p / (one + u * (q1 + u * (q2 + u * (q3 + u * q4))))

        return rational
    return lambda x: math.tanh(x)


@njit(**OPTIONS)
def activate(code, h, n):
    """Turn pre-activations h[:n] into activations, in place."""
    half, one, zero, slope = h.dtype.type(0.5), h.dtype.type(1), h.dtype.type(0), h.dtype.type(LEAKY)
    if code == 1:
        for b in range(n):
            h[b] = tanh(h[b])
    elif code == 2:
        for b in range(n):
            h[b] = half * (one + tanh(half * h[b]))
    elif code == 3:
        for b in range(n):
            h[b] = h[b] if h[b] > zero else zero * h[b]  # keeps NaN
    elif code == 4:
        for b in range(n):
            h[b] = h[b] if h[b] > zero else slope * h[b]


@njit(**OPTIONS)
def times_derivative(code, delta, h, n):
    """Multiply delta[:n] by the activation's derivative, which is a function of h."""
    one, zero, slope = h.dtype.type(1), h.dtype.type(0), h.dtype.type(LEAKY)
    if code == 1:
        for b in range(n):
            delta[b] *= one - h[b] * h[b]
    elif code == 2:
        for b in range(n):
            delta[b] *= h[b] * (one - h[b])
    elif code == 3:
        for b in range(n):
            delta[b] *= one if h[b] > zero else zero
    elif code == 4:
        for b in range(n):
            delta[b] *= one if h[b] > zero else slope


@njit(**OPTIONS)
def output_delta(loss, z, t, delta, w, n_out, n):
    """Write delta = w (output - target) for a batch; return its summed, weighted loss.

    z, t, delta : (n_out, n) logits, targets, result; w : (n,) weight of each sample divided by the
    batch's, 0 for padding.
    """
    total = 0.0
    for b in range(n):
        if loss == 2:
            top = z[0, b]
            for o in range(1, n_out):
                top = max(top, z[o, b])
            norm = z.dtype.type(0)
            for o in range(n_out):
                delta[o, b] = math.exp(z[o, b] - top)
                norm += delta[o, b]
            log_norm = math.log(norm) + top
            for o in range(n_out):
                if w[b] > 0:
                    total += w[b] * t[o, b] * (log_norm - z[o, b])
                delta[o, b] = w[b] * (delta[o, b] / norm - t[o, b])
        else:
            for o in range(n_out):
                x, y = z[o, b], t[o, b]
                if loss == 0:
                    total += 0.5 * w[b] * (x - y) * (x - y)
                    delta[o, b] = w[b] * (x - y)
                else:
                    e = math.exp(-abs(x))
                    total += w[b] * (math.log1p(e) + max(x, z.dtype.type(0)) - x * y)
                    delta[o, b] = w[b] * ((z.dtype.type(1) if x >= 0 else e) / (z.dtype.type(1) + e) - y)
    return total


@njit(**OPTIONS)
def forward(sizes, activations, parameters, h, n):
    """Fill h (all units, n) layer by layer from the inputs in its first rows."""
    w0, below = 0, 0
    for layer in range(len(activations)):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        above = below + n_in
        b0 = w0 + n_out * n_in
        for o in range(n_out):
            row = h[above + o]
            bias = parameters[b0 + o]
            for b in range(n):
                row[b] = bias
            for i in range(n_in):
                w = parameters[w0 + o * n_in + i]
                source = h[below + i]
                for b in range(n):
                    row[b] += w * source[b]
            activate(activations[layer], row, n)
        w0, below = b0 + n_out, above


@njit(**OPTIONS)
def backward(sizes, activations, parameters, h, delta, gradient, n):
    """Fill the gradient from delta's last rows, carrying delta (all units, n) down."""
    w0, above = len(parameters), len(h)
    for layer in range(len(activations) - 1, -1, -1):
        n_in, n_out = sizes[layer], sizes[layer + 1]
        above -= n_out
        below = above - n_in
        w0 -= n_out * (n_in + 1)
        for o in range(n_out):
            d = delta[above + o]
            total = delta.dtype.type(0)
            for b in range(n):
                total += d[b]
            gradient[w0 + n_out * n_in + o] = total
            for i in range(n_in):
                source = h[below + i]
                total = delta.dtype.type(0)
                for b in range(n):
                    total += d[b] * source[b]
                gradient[w0 + o * n_in + i] = total
        if layer > 0:
            for i in range(n_in):
                down = delta[below + i]
                for b in range(n):
                    down[b] = 0
                for o in range(n_out):
                    w = parameters[w0 + o * n_in + i]
                    d = delta[above + o]
                    for b in range(n):
                        down[b] += w * d[b]
                times_derivative(activations[layer - 1], down, h[below + i], n)


@njit(**OPTIONS)
def add_decay(sizes, parameters, gradient, strength):
    """Add strength times the weights, not the biases, to the gradient."""
    start = 0
    for layer in range(len(sizes) - 1):
        n = sizes[layer] * sizes[layer + 1]
        for k in range(start, start + n):
            gradient[k] += strength * parameters[k]
        start += n + sizes[layer + 1]


@njit(**OPTIONS)
def descend(solver, parameters, gradient, slot_1, slot_2, rate, settings, step):
    """Make one step of SGD (solver 0) or Adam (1); settings: momentum, nesterov, beta_1, beta_2, epsilon."""
    momentum, nesterov = settings[0], settings[1]
    beta_1, beta_2, epsilon = settings[2], settings[3], settings[4]
    one = parameters.dtype.type(1)
    if solver == 0:
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


@njit(**OPTIONS)
def gather(X, target, sample_weight, mean_weight, divisor, rows, h, t, w):
    """Copy a batch into units x batch, with each sample's share in the loss; pad with shares of 0."""
    n, padded = len(rows), len(w)
    for b in range(padded):
        r = rows[min(b, n - 1)]
        weight = sample_weight[r] / mean_weight if len(sample_weight) else 1.0
        w[b] = weight / divisor if b < n else 0
        for i in range(X.shape[1]):
            h[i, b] = X[r, i]
        for o in range(target.shape[1]):
            t[o, b] = target[r, o]


@njit(**OPTIONS)
def dense_steps(
    X, target, sample_weight, indices, starts, stops,
    sizes, activations, loss, sums, solver, rates, settings, alpha,
    parameters, slot_1, slot_2, first_step, losses,
):  # fmt: skip
    """Make one step of backpropagation per batch; write the batches' mean losses."""
    kind = parameters.dtype
    lanes = (np.max(stops - starts) + 7) // 8 * 8
    h = np.empty((np.sum(sizes), lanes), kind)
    delta = np.empty((np.sum(sizes), lanes), kind)
    t = np.empty((sizes[-1], lanes), kind)
    w = np.empty(lanes, kind)
    gradient = np.empty(len(parameters), kind)
    outputs = len(h) - sizes[-1]
    mean_weight = np.sum(sample_weight) / len(X) if len(sample_weight) else 1.0
    n, divisor = 0, 1
    for s in range(len(starts)):
        if s == 0 or starts[s] != starts[s - 1] or stops[s] != stops[s - 1]:
            n = (stops[s] - starts[s] + 7) // 8 * 8
            rows = indices[starts[s] : stops[s]]
            divisor = 1 if sums else len(rows)
            gather(X, target, sample_weight, mean_weight, divisor, rows, h, t, w[:n])
        forward(sizes, activations, parameters, h, n)
        losses[s] = output_delta(loss, h[outputs:], t, delta[outputs:], w, sizes[-1], n)
        if sums:
            losses[s] /= stops[s] - starts[s]
        for o in range(outputs, len(h)):
            times_derivative(activations[-1], delta[o], h[o], n)
        backward(sizes, activations, parameters, h, delta, gradient, n)
        if alpha > 0:
            strength = alpha / (divisor * mean_weight)
            add_decay(sizes, parameters, gradient, kind.type(strength))
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


def supports(spec: NetworkSpec, solver: Solver) -> bool:
    """Return whether `dense_steps` serves this network and solver and is the fast choice for them.

    Examples
    --------
    >>> from glassnet.learning.spec import Layer
    >>> supports(NetworkSpec(2, (Layer(4, "tanh"), Layer(1, "identity")), "squared_error"), Solver("adam"))
    True
    """
    return spec.n_parameters <= MAX_PARAMETERS and not _beyond(spec, solver)


def check_runs(spec: NetworkSpec, solver: Solver) -> None:
    """Raise InvalidInputError, saying why, if `dense_steps` cannot run this network and solver at all."""
    if reason := _beyond(spec, solver):
        raise InvalidInputError(f"engine='kernel' cannot run {reason}; take engine='auto' or 'formula'.")


def _beyond(spec: NetworkSpec, solver: Solver) -> str:
    """Return what about this network and solver no kernel covers; empty if all is covered."""
    if not spec.plain:
        return "layers with normalization, dropout, noise, local connectivity or a residual"
    if unknown := set(spec.activations) - set(ACTIVATION_CODES):
        return f"the activation {unknown.pop()!r}"
    if solver.name not in SOLVER_CODES:
        return f"the solver {solver.name!r}"
    return "l1 or clip_norm" if solver.l1 or solver.clip_norm is not None else ""


if __name__ == "__main__":
    from glassnet.learning.kernel_engine import compile_kernels

    compile_kernels()
