"""Every compiled kernel of glassnet: the fast paths of the formulas, for small work.

Each kernel makes many steps in one call and is tested equal to the formula it stands for,
which lies in the file that bears its name. All kernels live in this one file because
numba's cache does not notice changes across files. They hold no lock and start no threads
(``parallel=True`` can abort a process that calls from two threads); many fits at once run
in a thread pool.

Dense networks lie units x samples, and one instruction works on `LANES` samples at a time: the
compiler does not find that by itself in loops as short as a small network's. Matrix products
are made in tiles of eight sums, which the processor's registers hold.

Production runs in float32, the rules for single samples also in float64. The tests call all of
it in float64, where the rational tanh and the polynomial exponential give way to the exact ones.
NaN and infinities are not assumed away, so a diverging loss is seen.
"""

from __future__ import annotations

import math
import operator

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

from glassnet.errors import InvalidInputError
from glassnet.learning.optimizers import Solver
from glassnet.learning.spec import NetworkSpec

FLAGS = ("reassoc", "contract", "nsz", "arcp", "afn")
OPTIONS = {"cache": True, "nogil": True, "fastmath": set(FLAGS)}
PART = {**OPTIONS, "forceinline": True}

ACTIVATION_CODES = {"identity": 0, "tanh": 1, "sigmoid": 2, "relu": 3, "leaky_relu": 4}
LOSS_CODES = {"squared_error": 0, "binary_cross_entropy": 1, "cross_entropy": 2}
SOLVER_CODES = {"sgd": 0, "adam": 1}
# above this many parameters the matrix products of the written-out rule are faster
MAX_PARAMETERS = 1500

# samples that one instruction works on
LANES = 16
# columns and rows of a matrix taken at a time: what belongs to them then stays in the nearest memory
COLUMNS, ROWS = 256, 32

# tanh(x) = x P(x^2) / Q(x^2) on [-9, 9]: fitted by iterated least squares to a relative error
# of 2.1e-8, which in float32 leaves an absolute error below 4e-7; beyond 9 it is +-1
P = (1.3354552090037331e-08, 2.0609000471822365e-05, 0.0034955830816182165, 0.13381021386120237, 0.9999999794651775)
Q = (7.776512589565467e-07, 0.0003285626605580573, 0.025876962976796047, 0.46714336981616206, 1.0)
# 2^f on [-1/2, 1/2]: its power series, highest term first, to a relative error of 5e-9
E = tuple(math.log(2) ** k / math.factorial(k) for k in range(7, -1, -1))
LEAKY = 0.02


class Lanes(types.Type):
    """`LANES` numbers side by side."""

    def __init__(self, dtype: types.Float):
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        number = manager.lookup(lanes.dtype).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(number, LANES))


def _place(context, builder, array_type, array, row, column):
    """Return the pointer to the lanes that begin at array[row, column]."""
    parts = context.make_array(array_type)(context, builder, array)
    start = builder.add(builder.mul(row, builder.extract_value(parts.shape, 1)), column)
    pointer = builder.gep(parts.data, [start])
    return builder.bitcast(pointer, ir.VectorType(pointer.type.pointee, LANES).as_pointer())


def _repeated(context, builder, number, lanes):
    """Return lanes that all hold one number."""
    kind, index = context.get_value_type(lanes), ir.IntType(32)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(index, 0))
    everywhere = ir.Constant(ir.VectorType(index, LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), everywhere)


@intrinsic
def load(typing, array, row, column):
    """Return the lanes that begin at array[row, column]."""

    def generate(context, builder, signature, args):
        return builder.load(_place(context, builder, array, *args), align=array.dtype.bitwidth // 8)

    return Lanes(array.dtype)(array, types.intp, types.intp), generate


@intrinsic
def store(typing, array, row, column, lanes):
    """Write lanes from array[row, column] on."""

    def generate(context, builder, signature, args):
        builder.store(args[3], _place(context, builder, array, *args[:3]), align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, lanes), generate


@intrinsic
def spread(typing, x):
    """Return lanes that all hold x."""

    def generate(context, builder, signature, args):
        return _repeated(context, builder, args[0], signature.return_type)

    return Lanes(x)(x), generate


@intrinsic
def like(typing, lanes, x):
    """Return lanes of the same kind that all hold the number x."""

    def generate(context, builder, signature, args):
        return _repeated(context, builder, context.cast(builder, args[1], x, lanes.dtype), lanes)

    return lanes(lanes, x), generate


@intrinsic
def pick(typing, array, k):
    """Return lanes that all hold array[k], k >= 0, of an array of one dimension."""

    def generate(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        return _repeated(context, builder, builder.load(builder.gep(data, [args[1]])), signature.return_type)

    return Lanes(array.dtype)(array, types.intp), generate


@intrinsic
def total(typing, lanes):
    """Return the sum of the lanes."""

    def generate(context, builder, signature, args):
        kind = args[0].type
        name = f"llvm.vector.reduce.fadd.v{LANES}f{lanes.dtype.bitwidth}"
        call = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind.element, [kind.element, kind]), name)
        return builder.call(call, [ir.Constant(kind.element, -0.0), args[0]], fastmath=FLAGS)

    return lanes.dtype(lanes), generate


@intrinsic
def store_totals(typing, array, k, a, b, c, d):
    """Write the four sums of the lanes of a, b, c and d to array[k : k + 4]: all halved together, in few steps."""

    def generate(context, builder, signature, args):
        parts, width = args[2:], LANES
        while width > 1:
            pairs = [parts] if len(parts) == 1 else [parts[i : i + 2] for i in range(0, len(parts), 2)]
            parts, width = [_halved(builder, width, *pair) for pair in pairs], width // 2
        data = context.make_array(array)(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [args[1]]), parts[0].type.as_pointer())
        builder.store(parts[0], place, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.none(array, types.intp, a, b, c, d), generate


def _halved(builder, width, a, b=None):
    """Add the second half of every ``width`` numbers of a, and of b behind it, to the first half."""
    b = ir.Constant(a.type, ir.Undefined) if b is None else b
    n = a.type.count * (1 if isinstance(b, ir.Constant) else 2)
    halves = [[k for k in range(n) if (k % width < width // 2) == first] for first in (True, False)]
    masks = [ir.Constant(ir.VectorType(ir.IntType(32), n // 2), half) for half in halves]
    return builder.fadd(*(builder.shuffle_vector(a, b, mask) for mask in masks), flags=FLAGS)


@intrinsic
def where_above(typing, x, a, b):
    """Return, in every lane, a where x > 0, else b; b also where x is NaN."""

    def generate(context, builder, signature, args):
        above = builder.fcmp_ordered(">", args[0], ir.Constant(args[0].type, [0.0] * LANES))
        return builder.select(above, args[1], args[2])

    return x(x, a, b), generate


@intrinsic
def lane(typing, lanes, k):
    """Return lane k."""
    return lanes.dtype(lanes, types.intp), lambda context, builder, signature, args: builder.extract_element(*args)


@intrinsic
def with_lane(typing, lanes, k, x):
    """Return the lanes with x in lane k."""

    def generate(context, builder, signature, args):
        return builder.insert_element(args[0], args[2], args[1])

    return lanes(lanes, types.intp, lanes.dtype), generate


@intrinsic
def power_of_two(typing, k):
    """Return 2^k of float32 lanes that hold whole numbers from -126 to 127: k goes into the exponent's bits."""

    def generate(context, builder, signature, args):
        whole = ir.VectorType(ir.IntType(32), LANES)
        bits = builder.add(builder.fptosi(args[0], whole), ir.Constant(whole, [127] * LANES))
        return builder.bitcast(builder.shl(bits, ir.Constant(whole, [23] * LANES)), args[0].type)

    return k(k), generate


@intrinsic
def whole(typing, x):
    """Return x without its fraction, in every lane."""

    def generate(context, builder, signature, args):
        kind = ir.VectorType(ir.IntType(32), LANES)
        return builder.sitofp(builder.fptosi(args[0], kind), args[0].type)

    return x(x), generate


def _let_lanes(operation, instruction: str) -> None:
    """Make an operator of Python work on lanes."""

    @intrinsic
    def apply(typing, a, b):
        def generate(context, builder, signature, args):
            return getattr(builder, instruction)(*args, flags=FLAGS)

        return a(a, b), generate

    @overload(operation, inline="always")
    def _(a, b):
        if isinstance(a, Lanes) and a == b:
            return lambda a, b: apply(a, b)
        return None


for _operation, _instruction in (("add", "fadd"), ("sub", "fsub"), ("mul", "fmul"), ("truediv", "fdiv")):
    _let_lanes(getattr(operator, _operation), _instruction)


def tanh(x):
    """Hyperbolic tangent of lanes: rational in float32, exact in float64."""
    return np.tanh(x)


def exp(x):
    """Exponential of lanes that are at most 0: 2^whole times a polynomial in float32, exact in float64."""
    return np.exp(x)


def log(x):
    """Logarithm of lanes."""
    return np.log(x)


def _lane_by_lane(function):
    """Return a function of a number as one of lanes."""

    def apply(x):
        for k in range(LANES):
            x = with_lane(x, k, function(lane(x, k)))
        return x

    return apply


@overload(tanh)
def _tanh(x):
    if x.dtype is types.float64:
        return _lane_by_lane(math.tanh)

    def rational(x):
        nine = like(x, 9.0)
        y = where_above(x - nine, nine, x)  # this way round, NaN stays NaN
        y = where_above(like(x, -9.0) - y, like(x, -9.0), y)
        u, p, q = y * y, like(x, 0.0), like(x, 0.0)
        for k in range(5):
            p, q = p * u + like(x, P[k]), q * u + like(x, Q[k])
        return y * p / q

    return rational


@overload(exp)
def _exp(x):
    if x.dtype is types.float64:
        return _lane_by_lane(math.exp)

    def polynomial(x):
        y = where_above(like(x, -87.0) - x, like(x, -87.0), x) * like(x, 1.4426950408889634)  # log_2 e
        k = whole(y - like(x, 0.5))
        f, value = y - k, like(x, 0.0)
        for i in range(8):
            value = value * f + like(x, E[i])
        return value * power_of_two(k)

    return polynomial


@overload(log)
def _log(x):
    return _lane_by_lane(math.log)


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
    for b in range(0, n, LANES):
        for first in range(0, n_columns, COLUMNS):
            columns = range(first, min(first + COLUMNS, n_columns))
            for r in range(0, n_rows - 7, 8):
                k, u = w + r * row + first * column, t + r
                a0, a1, a2, a3 = (
                    load(target, u, b),
                    load(target, u + 1, b),
                    load(target, u + 2, b),
                    load(target, u + 3, b),
                )
                u += 4
                a4, a5, a6, a7 = (
                    load(target, u, b),
                    load(target, u + 1, b),
                    load(target, u + 2, b),
                    load(target, u + 3, b),
                )
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
                    store(target, t + r + i, b, a)
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
