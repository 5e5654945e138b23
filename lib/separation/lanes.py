"""Vectors of a fixed number of lanes, for sums that round alike everywhere.

The sum of floating-point numbers depends on their order. A compiler that is free to choose it (``fastmath``) follows
the width of the processor's registers and the code around the loop. Here the order is written down: lane k adds every
`LANES`-th number from number k on, and the lanes are added in halves at the end. A processor adds all lanes at once.

Compiled code combines vectors with each other and with numbers by ``+``, ``-`` and ``*``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, cast

import numba.core.cgutils
import numba.extending
import numpy as np
from llvmlite import ir
from numba.core.types import Type
from numba.extending import models, overload, register_model

LANES = 16
"""Numbers in a vector."""

_PLACE = ir.IntType(32)
types, cgutils = cast(Any, numba.core.types), cast(Any, numba.core.cgutils)


def _intrinsic(function: Callable[..., Any]) -> Callable[..., Any]:
    return cast(Callable[..., Any], numba.extending.intrinsic(function))


class Lanes(Type):
    """Type of a vector in compiled code: `LANES` numbers, all float32 or all float64."""

    def __init__(self, number: Any) -> None:
        self.number = number
        cast(Any, super()).__init__(f"Lanes({number})")


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        number = manager.lookup(lanes.number).get_value_type()
        cast(Any, super()).__init__(manager, lanes, ir.VectorType(number, LANES))


@_intrinsic
def load(_: Any, array: Any, place: Any) -> Any:
    """Load the numbers from a place of an array on; `LANES` of them must be there."""
    lanes = Lanes(array.dtype)

    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        start = _pointer(context, builder, array, args[0], [args[1]])
        return builder.load(start, align=array.dtype.bitwidth // 8)

    return lanes(array, place), generate


@_intrinsic
def load_rows(_: Any, arrays: Any, rows: Any, column: Any) -> Any:
    """Load the numbers from a column on of some rows, in each row of each array.

    NaN beyond the last column.

    Arrays are a tuple of C-contiguous arrays of one shape (n, m) and type, and rows a tuple of integers.
    """
    array, count = arrays.dtype, len(arrays) * len(rows)
    lanes = Lanes(array.dtype)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector, size = context.get_value_type(lanes), array.dtype.bitwidth
        each, of_rows = cgutils.unpack_tuple(builder, args[0]), cgutils.unpack_tuple(builder, args[1])
        columns = cgutils.unpack_tuple(builder, context.make_array(array)(context, builder, each[0]).shape)[1]
        left = builder.sub(columns, args[2])
        starts = [_pointer(context, builder, array, one, [row, args[2]]) for row in of_rows for one in each]
        with builder.if_else(builder.icmp_signed(">=", left, left.type(LANES)), likely=True) as (whole, partial):
            with whole:
                full, full_block = [builder.load(start, align=size // 8) for start in starts], builder.block
            with partial:
                numbers = ir.Constant(ir.VectorType(left.type, LANES), list(range(LANES)))
                mask, nan = (
                    builder.icmp_signed("<", numbers, _spread(builder, left)),
                    ir.Constant(vector, [np.nan] * LANES),
                )
                kind = ir.FunctionType(vector, [starts[0].type, _PLACE, mask.type, vector])
                masked = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.load.v{LANES}f{size}.p0")
                rest = [builder.call(masked, [start, _PLACE(size // 8), mask, nan]) for start in starts]
                rest_block = builder.block
        found = [builder.phi(vector) for _ in starts]
        for phi, one, other in zip(found, full, rest, strict=True):
            phi.add_incoming(one, full_block)
            phi.add_incoming(other, rest_block)
        return context.make_tuple(builder, signature.return_type, found)

    return types.UniTuple(lanes, count)(arrays, rows, column), generate


@_intrinsic
def zeros(_: Any, array: Any) -> Any:
    """Vector of zeros of the type of an array's numbers."""
    lanes = Lanes(array.dtype)

    def generate(context: Any, _: Any, __: Any, ___: Any) -> Any:
        return ir.Constant(context.get_value_type(lanes), None)

    return lanes(array), generate


@_intrinsic
def zero_where_nan(_: Any, vector: Any) -> Any:
    """Vector with zeros in place of NaN."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        zero = ir.Constant(args[0].type, None)
        return builder.select(builder.fcmp_ordered("ord", args[0], zero), args[0], zero)

    return vector(vector), generate


@_intrinsic
def select_below(_: Any, vector: Any, bound: Any, below: Any, otherwise: Any) -> Any:
    """Vector of ``below`` where ``vector < bound``, of ``otherwise`` elsewhere.

    Where either is NaN as well.
    """
    signature = vector(vector, *(types.unliteral(kind) for kind in (bound, below, otherwise)))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value, limit, yes, no = _vectors(context, builder, signature, args)
        return builder.select(builder.fcmp_ordered("<", value, limit), yes, no)

    return signature, generate


@_intrinsic
def fma(_: Any, a: Any, b: Any, c: Any) -> Any:
    """``a b + c`` with one rounding, of vectors or numbers.

    In slow software where the processor cannot do it.
    """
    kinds = [types.unliteral(kind) for kind in (a, b, c)]
    vectors = [kind for kind in kinds if isinstance(kind, Lanes)]
    result: Any = vectors[0] if vectors else max(kinds, key=lambda kind: kind.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if vectors:
            factors, name = _vectors(context, builder, signature, args), f"v{LANES}f{result.number.bitwidth}"
        else:
            factors = [context.cast(builder, arg, kind, result) for arg, kind in zip(args, kinds, strict=True)]
            name = f"f{result.bitwidth}"
        kind = ir.FunctionType(factors[0].type, [factor.type for factor in factors])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.{name}"), factors)

    return result(*kinds), generate


@_intrinsic
def total(_: Any, vector: Any) -> Any:
    """Sum of the lanes of a vector."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _combine(builder, args[0], builder.fadd)

    return vector.number(vector), generate


@_intrinsic
def largest(_: Any, vector: Any) -> Any:
    """Largest lane of a vector without NaN."""

    def generate(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _combine(builder, args[0], lambda a, b: builder.select(builder.fcmp_ordered("<", a, b), b, a))

    return vector.number(vector), generate


@_intrinsic
def _add(_: Any, a: Any, b: Any) -> Any:
    return _arithmetic("fadd", a, b)


@_intrinsic
def _subtract(_: Any, a: Any, b: Any) -> Any:
    return _arithmetic("fsub", a, b)


@_intrinsic
def _multiply(_: Any, a: Any, b: Any) -> Any:
    return _arithmetic("fmul", a, b)


def _arithmetic(operation: str, a: Any, b: Any) -> Any:
    """Signature and code of an operation of two vectors, or a vector and a number."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, operation)(*_vectors(context, builder, signature, args))

    return (a if isinstance(a, Lanes) else b)(types.unliteral(a), types.unliteral(b)), generate


@overload(operator.add)
@overload(operator.iadd)
def _plus(a, b):  # type: ignore[no-untyped-def]
    return (lambda a, b: _add(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


@overload(operator.sub)
def _minus(a, b):  # type: ignore[no-untyped-def]
    return (lambda a, b: _subtract(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


@overload(operator.mul)
def _times(a, b):  # type: ignore[no-untyped-def]
    return (lambda a, b: _multiply(a, b)) if isinstance(a, Lanes) or isinstance(b, Lanes) else None


def _pointer(context: Any, builder: Any, array: Any, value: Any, places: list[Any]) -> Any:
    """Pointer to the vector that starts at a place of an array."""
    view = context.make_array(array)(context, builder, value)
    start = cgutils.get_item_pointer(context, builder, array, view, places, wraparound=False)
    return builder.bitcast(start, context.get_value_type(Lanes(array.dtype)).as_pointer())


def _vectors(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    """Arguments as vectors: a number stands in all lanes, in the type of the result."""
    number = signature.return_type.number
    return [
        arg if isinstance(kind, Lanes) else _spread(builder, context.cast(builder, arg, kind, number))
        for arg, kind in zip(args, signature.args, strict=True)
    ]


def _spread(builder: Any, number: Any) -> Any:
    """Vector with a number in all lanes."""
    one = builder.insert_element(ir.Constant(ir.VectorType(number.type, LANES), ir.Undefined), number, _PLACE(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(_PLACE, LANES), [0] * LANES))


def _combine(builder: Any, vector: Any, operation: Any) -> Any:
    """Number made of all lanes: the lower half with the upper one, and so on."""
    half = LANES // 2
    while half:
        place = ir.VectorType(_PLACE, half)
        lower = builder.shuffle_vector(vector, vector, ir.Constant(place, list(range(half))))
        upper = builder.shuffle_vector(vector, vector, ir.Constant(place, list(range(half, 2 * half))))
        vector, half = operation(lower, upper), half // 2
    return builder.extract_element(vector, _PLACE(0))
