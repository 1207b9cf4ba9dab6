"""Loads and stores of lane kernels, marked so that LLVM knows what overlaps; for whichever compiler asks."""

from llvmlite import ir

WRITES = 16  # written operands that are told apart


def _scope(module, kind, k=0):
    """Alias scopes: 'reads' as a whole, and each written operand. Named by strings: the same in all modules."""
    domain = module.add_metadata(["numblocks"])
    return module.add_metadata([f"numblocks.{kind}{k}", domain])


def widen(function):
    """Ask for the widest vectors there are: LLVM prefers half of AVX-512 unless told."""
    # llvmlite's own `add` knows no attributes that are pairs
    set.add(function.attributes, '"prefer-vector-width"="512"')


def load(builder, p, i, align):
    """`p[i]`, which no store of the kernel writes."""
    value = builder.load(builder.gep(p, [i]), align=align)
    module = builder.module
    value.set_metadata("alias.scope", module.add_metadata([_scope(module, "reads")]))
    value.set_metadata("noalias", module.add_metadata([_scope(module, "write", k) for k in range(WRITES)]))
    return value


def store(builder, p, i, value, k, align):
    """`p[i] = value`, the kernel's `k`-th output, which overlaps no other."""
    widen(builder.function)
    done = builder.store(value, builder.gep(p, [i]), align=align)
    module = builder.module
    if k < WRITES:
        others = [_scope(module, "write", n) for n in range(WRITES) if n != k]
        done.set_metadata("alias.scope", module.add_metadata([_scope(module, "write", k)]))
        done.set_metadata("noalias", module.add_metadata([_scope(module, "reads"), *others]))


def advise(back, what: str, count: int) -> None:
    """Tell LLVM how to vectorize the loop that the branch `back` closes.

    Args:
        what: `vectorize.width`: `count` elements are one vector; `interleave.count`: `count` vectors are at work at
            a time, so that one computes while another waits for the result of its last step.
    """
    module = back.function.module
    advice = module.add_metadata([f"llvm.loop.{what}", ir.Constant(ir.IntType(32), count)])
    loop = module.add_metadata([ir.Constant(ir.IntType(64), len(module.metadata)), advice])
    loop.operands = (loop, advice)  # what names a loop begins with itself
    back.set_metadata("llvm.loop", loop)
