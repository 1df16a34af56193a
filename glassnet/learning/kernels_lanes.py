"""What one instruction of the processor does to many samples: the words that the kernels are written in.

`Lanes` are `LANES` numbers side by side, in a register or a few. In `glassnet.learning.kernels` they are
loaded from rows of units x samples, added, multiplied and stored again; here stands what machine
code (LLVM's) each of these becomes. There is none of learning in this file.
"""

from __future__ import annotations

# pyright: reportCallIssue=false
# (what makes the code of an instruction takes more arguments than the instruction)
import math
import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

# what may be done to a formula so that it is fast; NaN and infinities are not assumed away
FLAGS = ("reassoc", "contract", "nsz", "arcp", "afn")
# samples that one instruction works on
LANES = 16

# tanh(x) = x P(x^2) / Q(x^2) on [-9, 9]: fitted by iterated least squares to a relative error
# of 2.1e-8, which in float32 leaves an absolute error below 4e-7; beyond 9 it is +-1
P = (1.3354552090037331e-08, 2.0609000471822365e-05, 0.0034955830816182165, 0.13381021386120237, 0.9999999794651775)
Q = (7.776512589565467e-07, 0.0003285626605580573, 0.025876962976796047, 0.46714336981616206, 1.0)
# 2^f on [-1/2, 1/2]: its power series, highest term first, to a relative error of 5e-9
E = tuple(math.log(2) ** k / math.factorial(k) for k in range(7, -1, -1))


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
