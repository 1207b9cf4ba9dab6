"""LLVM IR -> object code, through llvmlite: the last step of every build, whichever compiler wrote the IR."""
import llvmlite.binding as llvm

from . import llvm as target
from . import loader

# What an optimized kernel may still call: the C math library and memory moves.
_LIBM = ("acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs "
         "floor fma fmax fmin fmod frexp hypot ldexp lgamma log log10 log1p log2 nearbyint pow remainder "
         "rint round roundeven sin sincos sinh sqrt tan tanh tgamma trunc")
ALLOWED = frozenset(_LIBM.split()) | {name + "f" for name in _LIBM.split()} | {
    "memcpy", "memmove", "memset", "memcmp", "bcmp", "_GLOBAL_OFFSET_TABLE_", *loader.PLACEHOLDERS}


class Refused(Exception):
    """The text compiled, but not into a kernel that can stand alone on disk."""


def to_object(ir: str, name: str, optimize: bool, allowed=ALLOWED, shared: bool = False) -> tuple[bytes, list[str]]:
    """Object code of a module that defines the function `name`.

    Args:
        ir: LLVM assembly.
        name: the one symbol that stays visible.
        optimize: run LLVM's full pipeline; False for IR that has been through it.
        allowed: symbols the code may leave undefined; None: those it declares.
        shared: make it fit for a shared library.

    Returns:
        The object file's bytes, and the symbols it leaves undefined.

    Raises:
        Refused: it needs other symbols than `allowed`.
    """
    machine = target.host_machine(shared)
    module = llvm.parse_assembly(ir)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    for item in (*module.functions, *module.global_variables):
        if not item.is_declaration and item.name != name:
            item.linkage = "internal"      # helpers of two kernels can never meet under one name
    # level 3 takes a third longer for code that is not measurably faster
    tuning = llvm.create_pipeline_tuning_options(speed_level=2 if optimize else 0)
    tuning.loop_vectorization, tuning.slp_vectorization = optimize, False
    builder = llvm.create_pass_builder(machine, tuning)
    if optimize:
        passes = builder.getModulePassManager()
    else:
        passes = llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)
    data = machine.emit_object(module)
    undefined = loader.undefined_symbols(module, data)
    unknown = sorted(set(undefined) - set(undefined if allowed is None else allowed))
    if unknown:
        raise Refused(f"its code calls {', '.join(unknown)}, and there is only the C math library")
    return data, [symbol for symbol in undefined if symbol != "_GLOBAL_OFFSET_TABLE_"]
