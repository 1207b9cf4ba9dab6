"""The names of `tile.py` as Numba knows them; their instructions are those of `tile_ir.py`. Imports numba:
only `compiler.py` may import this.
"""

from llvmlite import ir
from numba.core import types
from numba.core.datamodel.models import PrimitiveModel
from numba.core.errors import TypingError
from numba.extending import intrinsic, register_model

from . import tile as plain
from . import tile_ir
from .intrinsics import _element


class Tile(types.Type):
    """`M * V` vectors of 64 bytes of one element type."""

    def __init__(self, M, V, element):
        self.M, self.V, self.element = M, V, element
        super().__init__(name=f"Tile({M}, {V}, {element})")


@register_model(Tile)
class _TileModel(PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, tile_ir.tile_type(kind.M, kind.V, _llvm(kind.element)))


def _llvm(element):
    return ir.FloatType() if element.bitwidth == 32 else ir.DoubleType()


@intrinsic(prefer_literal=True)
def tile(typingctx, M, V, T):
    """Zeros."""
    if not (isinstance(M, types.IntegerLiteral) and isinstance(V, types.IntegerLiteral)):
        raise TypingError("tile(M, V, T): M and V must be literals or module-level constants")
    kind = Tile(M.literal_value, V.literal_value, _element(T))

    def codegen(context, builder, signature, args):
        return tile_ir.zeros(kind.M, kind.V, _llvm(kind.element))

    return kind(M, V, T), codegen


@intrinsic
def outer(typingctx, t, w, i, x, j):
    """See `tile_ir.outer`."""

    def codegen(context, builder, signature, args):
        return tile_ir.outer(builder, t.M, t.V, _llvm(t.element), *args)

    return t(t, w, types.intp, x, types.intp), codegen


@intrinsic
def dots(typingctx, t, g, rows, i, p, x, columns, j, q):
    """See `tile_ir.dots`."""

    def codegen(context, builder, signature, args):
        return tile_ir.dots(builder, t.M, t.V, _llvm(t.element), *args)

    return t(t, g, rows, types.intp, types.intp, x, columns, types.intp, types.intp), codegen


@intrinsic
def dots_below(typingctx, t, g, rows, i, p, x, columns, j, q, count):
    """See `tile_ir.dots_below`."""

    def codegen(context, builder, signature, args):
        return tile_ir.dots_below(builder, t.M, t.V, _llvm(t.element), *args)

    whole = types.intp
    return t(t, g, rows, whole, whole, x, columns, whole, whole, whole), codegen


@intrinsic
def put(typingctx, t, y, i, stride):
    """See `tile_ir.put`."""

    def codegen(context, builder, signature, args):
        tile_ir.put(builder, t.M, t.V, _llvm(t.element), *args)
        return context.get_dummy_value()

    return types.void(t, y, types.intp, types.intp), codegen


@intrinsic
def more(typingctx, t, y, i, stride):
    """See `tile_ir.more`."""

    def codegen(context, builder, signature, args):
        tile_ir.more(builder, t.M, t.V, _llvm(t.element), *args)
        return context.get_dummy_value()

    return types.void(t, y, types.intp, types.intp), codegen


@intrinsic
def sums(typingctx, t, y):
    """See `tile_ir.sums`."""

    def codegen(context, builder, signature, args):
        tile_ir.sums(builder, t.M, t.V, _llvm(t.element), *args)
        return context.get_dummy_value()

    return types.void(t, y), codegen


@intrinsic
def copy(typingctx, y, i, x, j, n):
    """See `tile_ir.copy`."""

    def codegen(context, builder, signature, args):
        tile_ir.copy(builder, _llvm(x.dtype), *args)
        return context.get_dummy_value()

    return types.void(y, types.intp, x, types.intp, types.intp), codegen


@intrinsic
def window(typingctx, y, i, x, j, first, last, n):
    """See `tile_ir.window`."""

    def codegen(context, builder, signature, args):
        tile_ir.window(builder, _llvm(x.dtype), *args)
        return context.get_dummy_value()

    return types.void(y, types.intp, x, types.intp, types.intp, types.intp, types.intp), codegen


@intrinsic
def turn(typingctx, y, i, down, x, j, across, rows, columns):
    """See `tile_ir.turn`."""

    def codegen(context, builder, signature, args):
        tile_ir.turn(builder, _llvm(x.dtype), *args)
        return context.get_dummy_value()

    whole = types.intp
    return types.void(y, whole, whole, x, whole, whole, whole, whole), codegen


COMPILED = {
    getattr(plain, name): globals()[name]
    for name in ("tile", "outer", "dots", "dots_below", "put", "more", "sums", "copy", "window", "turn")
}
