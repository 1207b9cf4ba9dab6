"""What the names of `tile.py` become inside compiled code. Imports numba: only `compiler.py` may import this."""
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel.models import PrimitiveModel, StructModel
from numba.core.errors import TypingError
from numba.extending import intrinsic, register_model

from . import tile as plain
from .intrinsics import _element

_FREE = ("contract",)      # a product and its sum may become one fma


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
    return ir.VectorType(ir.FloatType() if element.bitwidth == 32 else ir.DoubleType(), 512 // element.bitwidth)


def _at(builder, p, *indices):
    """Address of element `sum(indices)` behind pointer `p`."""
    total = indices[0]
    for index in indices[1:]:
        total = builder.add(total, index)
    return builder.gep(p, [total])


def _load(builder, element, p, *indices):
    """The vector at an address aligned to one element only."""
    vector = _vector_type(element)
    return builder.load(builder.bitcast(_at(builder, p, *indices), vector.as_pointer()), align=element.bitwidth // 8)


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
                    new, _multiply_add(builder, weight, column, builder.extract_value(old, k)), k)
        return new
    return t(t, w, types.intp, x, types.intp), codegen


@intrinsic
def dots(typingctx, t, g, rows, i, p, x, columns, j, q):
    """M + V loads for M * V multiply-adds."""
    def codegen(context, builder, signature, args):
        old, g_, rows_, i_, p_, x_, columns_, j_, q_ = args
        left = [_load(builder, t.element, g_, p_, builder.load(_at(builder, rows_, i_, _int(m)))) for m in range(t.M)]
        right = [_load(builder, t.element, x_, q_, builder.load(_at(builder, columns_, j_, _int(v))))
                 for v in range(t.V)]
        new = ir.Constant(context.get_value_type(t), ir.Undefined)
        for m, a in enumerate(left):
            for v, b in enumerate(right):
                k = m * t.V + v
                new = builder.insert_value(new, _multiply_add(builder, a, b, builder.extract_value(old, k)), k)
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
                low, high = (builder.shuffle_vector(part, undefined, ir.Constant(
                    ir.VectorType(ir.IntType(32), count), list(range(first, first + count)))) for first in (0, count))
                part = builder.fadd(low, high)
            builder.store(builder.extract_element(part, ir.Constant(ir.IntType(32), 0)), _at(builder, y_, _int(k)))
        return context.get_dummy_value()
    return types.void(t, y), codegen


@intrinsic
def copy(typingctx, y, i, x, j, n):
    """Whole vectors, then one masked load and store."""
    element = x.dtype

    def codegen(context, builder, signature, args):
        y_, i_, x_, j_, n_ = args
        vector, lanes = _vector_type(element), 512 // element.bitwidth
        size = element.bitwidth // 8
        whole = builder.and_(n_, _int(-lanes))
        with cgutils.for_range_slice(builder, _int(0), whole, _int(lanes)) as (k, _):
            place = builder.bitcast(_at(builder, y_, i_, k), vector.as_pointer())
            builder.store(_load(builder, element, x_, j_, k), place, align=size)
        rest = builder.sub(n_, whole)
        with builder.if_then(builder.icmp_signed(">", rest, _int(0))):
            narrow = builder.trunc(rest, ir.IntType(32))
            mask_type = ir.VectorType(ir.IntType(1), lanes)
            index = ir.VectorType(ir.IntType(32), lanes)
            spread = builder.insert_element(ir.Constant(index, ir.Undefined), narrow, ir.Constant(ir.IntType(32), 0))
            spread = builder.shuffle_vector(spread, ir.Constant(index, ir.Undefined), ir.Constant(index, [0] * lanes))
            mask = builder.icmp_signed("<", ir.Constant(index, list(range(lanes))), spread)
            at = vector.as_pointer()
            suffix = f"v{lanes}f{element.bitwidth}.p0"
            load = cgutils.get_or_insert_function(builder.module, ir.FunctionType(
                vector, [at, ir.IntType(32), mask_type, vector]), f"llvm.masked.load.{suffix}")
            store = cgutils.get_or_insert_function(builder.module, ir.FunctionType(
                ir.VoidType(), [vector, at, ir.IntType(32), mask_type]), f"llvm.masked.store.{suffix}")
            align = ir.Constant(ir.IntType(32), size)
            source = builder.bitcast(_at(builder, x_, j_, whole), at)
            value = builder.call(load, [source, align, mask, ir.Constant(vector, None)])
            builder.call(store, [value, builder.bitcast(_at(builder, y_, i_, whole), at), align, mask])
        return context.get_dummy_value()
    return types.void(y, types.intp, x, types.intp, types.intp), codegen


COMPILED = {getattr(plain, name): globals()[name] for name in ("tile", "outer", "dots", "put", "sums", "copy")}
