"""What the prelude's names become inside compiled code. Imports numba: only `compiler.py` may import this."""
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np import arrayobj

from . import prelude


def _element(T):
    """Element type named by the dtype argument `T`; booleans are bytes in memory."""
    found = getattr(T, "instance_type", None) or getattr(T, "dtype", None)
    if found is None:
        raise TypingError(f"the dtype argument is {T}. It must be a name such as float32")
    return types.uint8 if found == types.boolean else found


@intrinsic
def pointer(typingctx, address, T):
    """Integer to typed pointer: no instruction at all."""
    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(signature.return_type))
    return types.CPointer(_element(T))(types.intp, T), codegen


@intrinsic
def view(typingctx, address, shape, T):
    """Array struct built in registers: no owner, so no reference counting and no runtime symbol."""
    dims = len(shape) if isinstance(shape, types.BaseTuple) else 1
    array = types.Array(_element(T), dims, "C")
    wide = types.UniTuple(types.intp, dims) if isinstance(shape, types.BaseTuple) else types.intp

    def codegen(context, builder, signature, args):
        element = context.get_data_type(array.dtype)
        data = builder.inttoptr(args[0], element.as_pointer())
        sizes = cgutils.unpack_tuple(builder, args[1]) if isinstance(wide, types.BaseTuple) else [args[1]]
        itemsize = context.get_constant(types.intp, context.get_abi_sizeof(element))
        strides = [itemsize]
        for size in reversed(sizes[1:]):
            strides.insert(0, builder.mul(strides[0], size, flags=["nsw"]))
        struct = arrayobj.make_array(array)(context, builder)
        arrayobj.populate_array(
            struct, data=data, shape=sizes, strides=strides, itemsize=itemsize, meminfo=None)
        return struct._getvalue()
    return array(types.intp, wide, T), codegen


@intrinsic(prefer_literal=True)
def stack(typingctx, count, T):
    """Memory in the entry block, so that a call in a loop does not grow the stack."""
    if not isinstance(count, types.IntegerLiteral):
        raise TypingError("stack(count, T): count must be a literal or a module-level constant")
    element, length = _element(T), count.literal_value

    def codegen(context, builder, signature, args):
        with builder.goto_entry_block():
            memory = builder.alloca(context.get_data_type(element), ir.Constant(ir.IntType(64), length))
            memory.align = 64
        return memory
    return types.CPointer(element)(count, T), codegen


def _cast(source, target, prepare=None, finish=None):
    """Intrinsic that reinterprets the bits of numba type `source` as `target`."""
    def typing(typingctx, value):
        def codegen(context, builder, signature, args):
            value = args[0] if prepare is None else prepare(builder, args[0])
            if finish is not None:
                return finish(builder, value)
            return builder.bitcast(value, context.get_value_type(target))
        return target(source), codegen
    return intrinsic(typing)


bits_to_float = _cast(types.int64, types.float64)
float_to_bits = _cast(types.float64, types.int64)
bits_to_float32 = _cast(types.int32, types.float32)
float32_to_bits = _cast(types.float32, types.int32)
half_to_float = _cast(types.uint16, types.float32,
                      prepare=lambda builder, bits: builder.bitcast(bits, ir.HalfType()),
                      finish=lambda builder, half: builder.fpext(half, ir.FloatType()))
float_to_half = _cast(types.float32, types.uint16,
                      prepare=lambda builder, value: builder.fptrunc(value, ir.HalfType()),
                      finish=lambda builder, half: builder.bitcast(half, ir.IntType(16)))


@intrinsic
def in_range(typingctx, lo, hi):
    """Promise `0 <= lo <= hi`: the wrap-around test of negative indices then falls out of inner loops."""
    def codegen(context, builder, signature, args):
        signature = ir.FunctionType(ir.VoidType(), [ir.IntType(1)])
        assume = builder.module.declare_intrinsic("llvm.assume", fnty=signature)
        builder.call(assume, [builder.icmp_signed(">=", args[0], args[0].type(0))])
        builder.call(assume, [builder.icmp_signed(">=", args[1], args[0])])
        return context.get_dummy_value()
    return types.void(types.intp, types.intp), codegen


# Plain function of the prelude -> its compiled form.
COMPILED = {
    getattr(prelude, name): globals()[name]
    for name in ("pointer", "view", "stack", "bits_to_float", "float_to_bits", "bits_to_float32",
                 "float32_to_bits", "half_to_float", "float_to_half")
}
