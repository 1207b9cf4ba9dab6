"""Kernel text -> Numba -> optimized LLVM IR -> object code. The one door through which numba comes in."""
import ast
import linecache
import sys
import types as python_types
import warnings

from numba import njit
from numba.core import types
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaWarning

from . import codegen, intrinsics, lanes_ir, tile_intrinsics
from .codegen import Refused

SIGNATURE = types.void(types.int64, types.int64, types.CPointer(types.int64))
# plain function -> its compiled form
COMPILED = {**intrinsics.COMPILED, **tile_intrinsics.COMPILED, **lanes_ir.COMPILED}
OPTIONS = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "nogil": True}


def compile_object(name: str, text: str, path: str, shared: bool = False) -> tuple[bytes, list[str]]:
    """Compile function `name` of the module `text` into an object file that exports `name`.

    Args:
        name: the kernel, `def name(lo, hi, a)`; also the exported symbol, of C type
            `void (int64_t lo, int64_t hi, int64_t *a)`.
        text: a complete Python module.
        path: where the text lies, for error messages.
        shared: make the object fit for a shared library.

    Returns:
        The object file's bytes, and the symbols it leaves undefined.

    Raises:
        Exception: whatever Python, Numba or LLVM say; `build.load` puts words round it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaWarning)
        dispatcher = _compile(name, text, path)
    signature = dispatcher.signatures[0]
    ir = dispatcher.inspect_llvm(signature)
    if ".const.picklebuf" in ir:
        raise Refused("it can raise a Python exception (raise, assert, a slice of unequal length, or range() "
                      "with a step that is not a literal: use while)")
    inner = dispatcher.overloads[signature].fndesc.llvm_func_name
    return codegen.to_object(_export(ir, inner, name), name, optimize=False, shared=shared)


def _compile(name, text, path):
    """Execute the text as a module, compile its functions, return the kernel's dispatcher."""
    tree = ast.parse(text, path)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            _promise_range(node)
    # the name of the module enters every mangled name, so it must be as unique as the kernel's
    module = python_types.ModuleType(f"numblocks_kernel_{name}")
    module.__file__ = path
    module.__dict__["_in_range"] = intrinsics.in_range
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(tree, path, "exec"), module.__dict__)
        kernel = module.__dict__.get(name)
        if kernel is None:
            raise Refused(f"the text does not define {name}")
        default = module.__dict__.get("FASTMATH", False)
        module.__dict__.update(lanes_ir.compile_lanes(module.__dict__))
        for key, value in list(module.__dict__.items()):
            if isinstance(value, python_types.FunctionType):
                if value in COMPILED:
                    module.__dict__[key] = COMPILED[value]
                elif value.__module__ == module.__name__ and value is not kernel:
                    module.__dict__[key] = njit(fastmath=_flags(value, default), **OPTIONS)(value)
        if isinstance(kernel, Dispatcher):
            default, kernel = kernel.targetoptions.get("fastmath", default), kernel.py_func
        dispatcher = njit(fastmath=_flags(kernel, default), **OPTIONS)(kernel)
        if not isinstance(dispatcher, Dispatcher):
            raise Refused("Numba's compiler is switched off. NUMBA_DISABLE_JIT is set. Unset it")
        dispatcher.compile(SIGNATURE)
        return dispatcher
    finally:
        sys.modules.pop(module.__name__, None)
        linecache.cache.pop(path, None)


def _promise_range(node: ast.FunctionDef) -> None:
    """Insert `_in_range(lo, hi)` as the kernel's first statement, at the line of its `def`."""
    arguments = [ast.Name(argument.arg, ast.Load()) for argument in node.args.args[:2]]
    statement = ast.Expr(ast.Call(ast.Name("_in_range", ast.Load()), arguments, []))
    node.body.insert(0, ast.fix_missing_locations(ast.copy_location(statement, node)))


def _flags(function, default):
    flags = getattr(function, "fastmath", default)
    return set(flags) if flags and flags is not True else bool(flags)


def _export(ir: str, inner: str, name: str) -> str:
    """Add the exported function: Numba's result and exception slots folded away, three arguments left."""
    return ir + f"""
define void @"{name}"(i64 %lo, i64 %hi, ptr %a) {{
  %result = alloca ptr
  %exception = alloca ptr
  %status = call i32 @"{inner}"(ptr %result, ptr %exception, i64 %lo, i64 %hi, ptr %a)
  ret void
}}
"""
