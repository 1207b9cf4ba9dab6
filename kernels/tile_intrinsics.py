"""What the names of `tile.py` become inside compiled code. Imports numba: only `compiler.py` may import
this.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel.models import PrimitiveModel, StructModel
from numba.core.errors import TypingError
from numba.extending import intrinsic, register_model

from . import tile as plain
from .intrinsics import _element

_FREE = ("contract",)  # a product and its sum may become one fma


class Vector(types.Type):
    """64 bytes of one element type."""

    def __init__(self, element):
        self.element, self.lanes = element, 64 * 8 // element.bitwidth
        super().__init__(name=f"Vector({element})")


class Tile(types.Type):
    """`M * V` vectors, a struct that LLVM takes apart into registers."""

    def __init__(self, M, V, element):
        self.M, self.V, self.element = M, V, element
        super().__init__(name=f"Tile({M}, {V}, {element})")


@register_model(Vector)
class _VectorModel(PrimitiveModel):
    def __init__(self, manager, kind):
        element = ir.FloatType() if kind.element.bitwidth == 32 else ir.DoubleType()
        super().__init__(manager, kind, ir.VectorType(element, kind.lanes))


@register_model(Tile)
class _TileModel(StructModel):
    def __init__(self, manager, kind):
        members = [(f"v{k}", Vector(kind.element)) for k in range(kind.M * kind.V)]
        super().__init__(manager, kind, members)


def _vector_type(element):
    return ir.VectorType(
        ir.FloatType() if element.bitwidth == 32 else ir.DoubleType(), 512 // element.bitwidth
    )


def _at(builder, p, *indices):
    """Address of element `sum(indices)` behind pointer `p`."""
    total = indices[0]
    for index in indices[1:]:
        total = builder.add(total, index)
    return builder.gep(p, [total])


def _load(builder, element, p, *indices):
    """The vector at an address aligned to one element only."""
    vector = _vector_type(element)
    return builder.load(
        builder.bitcast(_at(builder, p, *indices), vector.as_pointer()), align=element.bitwidth // 8
    )


def _spread(builder, element, value):
    """A vector with `value` in every lane."""
    vector = _vector_type(element)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), lanes)


def _multiply_add(builder, a, b, c):
    return builder.fadd(builder.fmul(a, b, flags=_FREE), c, flags=_FREE)


def _int(value):
    return ir.Constant(ir.IntType(64), value)


@intrinsic(prefer_literal=True)
def tile(typingctx, M, V, T):
    """Zeros."""
    if not (isinstance(M, types.IntegerLiteral) and isinstance(V, types.IntegerLiteral)):
        raise TypingError("tile(M, V, T): M and V must be literals or module-level constants")
    kind = Tile(M.literal_value, V.literal_value, _element(T))

    def codegen(context, builder, signature, args):
        return ir.Constant(context.get_value_type(kind), None)

    return kind(M, V, T), codegen


@intrinsic
def outer(typingctx, t, w, i, x, j):
    """One broadcast and V multiply-adds a row; the V loads are shared by all rows."""

    def codegen(context, builder, signature, args):
        old, w_, i_, x_, j_ = args
        lanes = 512 // t.element.bitwidth
        columns = [_load(builder, t.element, x_, j_, _int(v * lanes)) for v in range(t.V)]
        new = ir.Constant(context.get_value_type(t), ir.Undefined)
        for m in range(t.M):
            weight = _spread(builder, t.element, builder.load(_at(builder, w_, i_, _int(m))))
            for v, column in enumerate(columns):
                k = m * t.V + v
                new = builder.insert_value(
                    new, _multiply_add(builder, weight, column, builder.extract_value(old, k)), k
                )
        return new

    return t(t, w, types.intp, x, types.intp), codegen


@intrinsic
def dots(typingctx, t, g, rows, i, p, x, columns, j, q):
    """M + V loads for M * V multiply-adds."""

    def codegen(context, builder, signature, args):
        old, g_, rows_, i_, p_, x_, columns_, j_, q_ = args
        left = [
            _load(builder, t.element, g_, p_, builder.load(_at(builder, rows_, i_, _int(m))))
            for m in range(t.M)
        ]
        right = [
            _load(builder, t.element, x_, q_, builder.load(_at(builder, columns_, j_, _int(v))))
            for v in range(t.V)
        ]
        new = ir.Constant(context.get_value_type(t), ir.Undefined)
        for m, a in enumerate(left):
            for v, b in enumerate(right):
                k = m * t.V + v
                new = builder.insert_value(
                    new, _multiply_add(builder, a, b, builder.extract_value(old, k)), k
                )
        return new

    return t(t, g, rows, types.intp, types.intp, x, columns, types.intp, types.intp), codegen


@intrinsic
def put(typingctx, t, y, i, stride):
    """Unaligned stores."""

    def codegen(context, builder, signature, args):
        value, y_, i_, stride_ = args
        vector, lanes = _vector_type(t.element), 512 // t.element.bitwidth
        for m in range(t.M):
            row = builder.mul(stride_, _int(m))
            for v in range(t.V):
                place = builder.bitcast(_at(builder, y_, i_, row, _int(v * lanes)), vector.as_pointer())
                builder.store(builder.extract_value(value, m * t.V + v), place, align=t.element.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(t, y, types.intp, types.intp), codegen


@intrinsic
def sums(typingctx, t, y):
    """Halves added to halves, so the order does not depend on the CPU."""

    def codegen(context, builder, signature, args):
        value, y_ = args
        for k in range(t.M * t.V):
            part = builder.extract_value(value, k)
            count = part.type.count
            while count > 1:
                count //= 2
                undefined = ir.Constant(part.type, ir.Undefined)
                low, high = (
                    builder.shuffle_vector(
                        part,
                        undefined,
                        ir.Constant(ir.VectorType(ir.IntType(32), count), list(range(first, first + count))),
                    )
                    for first in (0, count)
                )
                part = builder.fadd(low, high)
            builder.store(
                builder.extract_element(part, ir.Constant(ir.IntType(32), 0)), _at(builder, y_, _int(k))
            )
        return context.get_dummy_value()

    return types.void(t, y), codegen


def _masked(builder, element):
    """`(load, store)`: `load(pointer, mask)` has 0 in the other lanes; neither touches memory there."""
    vector, size = _vector_type(element), element.bitwidth // 8
    at, mask_type = vector.as_pointer(), ir.VectorType(ir.IntType(1), vector.count)
    suffix = f"v{vector.count}f{element.bitwidth}.p0"
    align = ir.Constant(ir.IntType(32), size)
    load = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(vector, [at, ir.IntType(32), mask_type, vector]),
        f"llvm.masked.load.{suffix}",
    )
    store = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [vector, at, ir.IntType(32), mask_type]),
        f"llvm.masked.store.{suffix}",
    )
    return (
        lambda p, mask: builder.call(load, [builder.bitcast(p, at), align, mask, ir.Constant(vector, None)]),
        lambda value, p, mask: builder.call(store, [value, builder.bitcast(p, at), align, mask]),
    )


def _below(builder, element, k, bound):
    """Mask of the lanes `l` with `k + l < bound`."""
    count = 512 // element.bitwidth
    index = ir.VectorType(ir.IntType(32), count)
    room = builder.trunc(builder.sub(bound, k), ir.IntType(32))
    spread = builder.insert_element(ir.Constant(index, ir.Undefined), room, ir.Constant(ir.IntType(32), 0))
    spread = builder.shuffle_vector(spread, ir.Constant(index, ir.Undefined), ir.Constant(index, [0] * count))
    return builder.icmp_signed("<", ir.Constant(index, list(range(count))), spread)


@intrinsic
def copy(typingctx, y, i, x, j, n):
    """Whole vectors, then one masked load and store."""
    element = x.dtype

    def codegen(context, builder, signature, args):
        y_, i_, x_, j_, n_ = args
        vector, lanes, size = _vector_type(element), 512 // element.bitwidth, element.bitwidth // 8
        whole = builder.and_(n_, _int(-lanes))
        with cgutils.for_range_slice(builder, _int(0), whole, _int(lanes)) as (k, _):
            place = builder.bitcast(_at(builder, y_, i_, k), vector.as_pointer())
            builder.store(_load(builder, element, x_, j_, k), place, align=size)
        with builder.if_then(builder.icmp_signed("<", whole, n_)):
            load, store = _masked(builder, element)
            mask = _below(builder, element, whole, n_)
            store(load(_at(builder, x_, j_, whole), mask), _at(builder, y_, i_, whole), mask)
        return context.get_dummy_value()

    return types.void(y, types.intp, x, types.intp, types.intp), codegen


@intrinsic
def window(typingctx, y, i, x, j, first, last, n):
    """Masked loads and stores throughout."""
    element = x.dtype

    def codegen(context, builder, signature, args):
        y_, i_, x_, j_, first_, last_, n_ = args
        load, store = _masked(builder, element)
        with cgutils.for_range_slice(builder, _int(0), n_, _int(512 // element.bitwidth)) as (k, _):
            inside = builder.and_(
                _below(builder, element, k, last_), builder.not_(_below(builder, element, k, first_))
            )
            value = load(_at(builder, x_, j_, k), inside)
            store(value, _at(builder, y_, i_, k), _below(builder, element, k, n_))
        return context.get_dummy_value()

    return types.void(y, types.intp, x, types.intp, types.intp, types.intp, types.intp), codegen


COMPILED = {
    getattr(plain, name): globals()[name]
    for name in ("tile", "outer", "dots", "put", "sums", "copy", "window")
}
