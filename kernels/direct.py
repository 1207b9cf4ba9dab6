"""Kernel text -> LLVM IR, without Numba: a translator for the part of Python that kernels are written in.

Numba infers types for all of Python, at 50 to 400 ms a kernel and a second for the first. Kernels need little:
int64 arithmetic, `range` and `while` loops, conditions, typed pointers, lane functions, tiles, and functions of
their own, which are translated where they are called. What is outside of that raises `Unsupported`, and the
text goes to Numba (`compiler.py`). Here are functions and statements, in `direct_values.py`
and `direct_calls.py` expressions.
"""

from __future__ import annotations

import ast
import types

from llvmlite import ir

from . import codegen, lane_memory, tile
from .direct_calls import Calls
from .direct_values import I1, I64, NUMBERS, Unsupported, Val, constant, llvm_type

_DEPTH = 8  # calls within calls


def compile_object(name: str, text: str, path: str, shared: bool = False) -> tuple[bytes, list[str]]:
    """Like `compiler.compile_object`.

    Raises:
        Unsupported: only Numba can compile the text.
    """
    return codegen.to_object(translate(name, text, path), name, optimize=True, shared=shared)


def translate(name: str, text: str, path: str) -> str:
    """LLVM assembly of the kernel `name`: `void (i64 lo, i64 hi, ptr a)`."""
    try:
        tree = ast.parse(text, path)
        namespace = {"__name__": f"numblocks_kernel_{name}", "__file__": path}
        exec(compile(tree, path, "exec"), namespace)
    except Exception as error:  # Numba's path tells the user
        raise Unsupported(str(error)) from error
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name not in functions or namespace.get("FASTMATH") or not isinstance(namespace[name], types.FunctionType):
        raise Unsupported(name)
    module = ir.Module(name)
    kernel = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64, I64, I64.as_pointer()]), name)
    kernel.attributes.add("nounwind")
    unit = _Unit(namespace, functions, kernel)
    lo, hi, a = kernel.args
    try:
        unit.promise(lo, hi)
        unit.inline(name, [Val("int64", lo), Val("int64", hi), Val(("pointer", "int64"), a)])
        unit.finish()
    except (TypeError, AttributeError, KeyError, IndexError) as error:  # a lane function that is no lane function, say
        raise Unsupported(str(error)) from error
    return str(module)


class _Unit:
    """One text and the function being written."""

    def __init__(self, namespace, functions, kernel):
        self.namespace, self.functions = namespace, functions
        self.entry = kernel.append_basic_block("entry")
        self.start = kernel.append_basic_block("start")
        self.builder = ir.IRBuilder(self.start)
        self.depth = 0
        self.stores = 0  # by lane functions' `store`, so far

    def promise(self, lo, hi):
        """0 <= lo <= hi."""
        kind = ir.FunctionType(ir.VoidType(), [I1])
        assume = ir.Function(self.builder.module, kind, "llvm.assume")
        self.builder.call(assume, [self.builder.icmp_signed(">=", lo, I64(0))])
        self.builder.call(assume, [self.builder.icmp_signed(">=", hi, lo)])

    def slot(self, kind):
        """Memory for a variable, in the entry block; LLVM makes a register of it."""
        with self.builder.goto_block(self.entry):
            return self.builder.alloca(llvm_type(kind))

    def stack(self, count, dtype):
        with self.builder.goto_block(self.entry):
            memory = self.builder.alloca(NUMBERS[dtype], I64(count))
            memory.align = 64
        return Val(("pointer", dtype), memory)

    def inline(self, name, args):
        """Translate a function of the text where it is called; returns its value or None."""
        node = self.functions[name]
        if getattr(self.namespace[name], "fastmath", None) or self.depth == _DEPTH:
            raise Unsupported(name)
        if len(node.args.args) != len(args) or node.args.defaults or node.args.kwonlyargs:
            raise Unsupported(name)
        self.depth += 1
        body = _Body(self, self.builder.append_basic_block("done"))
        for parameter, value in zip(node.args.args, args, strict=True):
            body.assign(parameter.arg, value)
        body.block(node.body)
        if not self.builder.block.is_terminated:
            if body.result is not None:
                raise Unsupported(f"{name}: not every path returns a value")
            self.builder.branch(body.exit)
        self.builder.position_at_end(body.exit)
        self.depth -= 1
        return None if body.result is None else Val(body.result.kind, self.builder.load(body.result.ir))

    def finish(self):
        self.builder.ret_void()
        ir.IRBuilder(self.entry).branch(self.start)


class _Body(Calls):
    """The statements of one function, at one place where it is called."""

    def __init__(self, unit, leave):
        self.unit, self.exit = unit, leave
        self.variables: dict[str, Val] = {}
        self.static: dict[str, object] = {}  # names bound to dtypes and functions
        self.result: Val | None = None
        self.loops: list[tuple] = []  # (continue block, break block)

    # --- statements ---

    def block(self, statements):
        for s in statements:
            if self.builder.block.is_terminated:
                return  # nothing behind return, break and continue runs
            handler = getattr(self, f"do_{type(s).__name__}", None)
            if handler is None:
                raise Unsupported(type(s).__name__)
            handler(s)

    def assign(self, name, value):
        value = value if isinstance(value, Val) or not isinstance(value, (int, float)) else constant(value)
        if not isinstance(value, Val):
            raise Unsupported(f"{name} = {value!r}")
        held = self.variables.get(name)
        if held is None:
            held = self.variables[name] = Val(value.kind, self.unit.slot(value.kind))
        if held.kind != value.kind:
            raise Unsupported(f"{name} changes its type")
        self.builder.store(value.ir, held.ir)

    def put(self, target, value):
        if isinstance(target, ast.Name):
            self.assign(target.id, value)
        elif isinstance(target, ast.Subscript):
            self.store(*self.place(target), value)
        else:
            raise Unsupported(ast.unparse(target))

    def do_Assign(self, s):
        if len(s.targets) != 1:
            raise Unsupported("a = b = c")
        target = s.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(s.value, ast.Tuple) and len(target.elts) == len(s.value.elts):
            values = [self.visit(v) for v in s.value.elts]
            for one, value in zip(target.elts, values, strict=True):
                self.put(one, value)
        else:
            self.put(target, self.visit(s.value))

    def do_AugAssign(self, s):
        if isinstance(s.target, ast.Name):
            self.put(s.target, self.binary(s.op, self.name(s.target.id), self.visit(s.value)))
        else:
            p, i = self.place(s.target)
            value = self.binary(s.op, self.load(p, i), self.visit(s.value))
            self.store(p, i, value)

    def do_Expr(self, s):
        if not isinstance(s.value, ast.Constant):
            self.visit(s.value)

    def do_Pass(self, s):
        pass

    def do_Return(self, s):
        if s.value is not None:
            value = self.value(self.visit(s.value))
            if self.result is None:
                self.result = Val(value.kind, self.unit.slot(value.kind))
            if self.result.kind != value.kind:
                raise Unsupported("return values of two types")
            self.builder.store(value.ir, self.result.ir)
        self.builder.branch(self.exit)

    def do_Break(self, s):
        self.builder.branch(self.loops[-1][1])

    def do_Continue(self, s):
        self.builder.branch(self.loops[-1][0])

    def do_If(self, s):
        test = self.truth(self.visit(s.test))
        if isinstance(test, bool):
            return self.block(s.body if test else s.orelse)
        then, other, end = self.blocks("then", "else", "end")
        self.builder.cbranch(test, then, other)
        for start, statements in ((then, s.body), (other, s.orelse)):
            self.builder.position_at_end(start)
            self.block(statements)
            self.leave(end)
        self.builder.position_at_end(end)

    def do_While(self, s):
        if s.orelse:
            raise Unsupported("while ... else")
        head, body, end = self.blocks("head", "body", "end")
        self.builder.branch(head)
        self.builder.position_at_end(head)
        test = self.truth(self.visit(s.test))
        self.builder.cbranch(I1(test) if isinstance(test, bool) else test, body, end)
        self.builder.position_at_end(body)
        self.loop(s.body, head, end)
        self.leave(head)
        self.builder.position_at_end(end)

    def do_For(self, s):
        call = s.iter
        if (
            s.orelse or not isinstance(s.target, ast.Name) or not isinstance(call, ast.Call) or call.keywords
            or not isinstance(call.func, ast.Name) or self.name(call.func.id) is not range
        ):  # fmt: skip
            raise Unsupported("for")
        args = [self.visit(a) for a in call.args]
        step = args[2] if len(args) == 3 else 1
        if type(step) is not int or step == 0:
            raise Unsupported("range with a step that is no literal")
        start, stop = (0, args[0]) if len(args) == 1 else args[:2]
        start, stop = (self.integer(x) for x in (start, stop))
        builder, counter = self.builder, self.unit.slot("int64")
        builder.store(start, counter)
        head, body, advance, end = self.blocks("head", "body", "next", "end")
        builder.branch(head)
        builder.position_at_end(head)
        builder.cbranch(builder.icmp_signed("<" if step > 0 else ">", builder.load(counter), stop), body, end)
        builder.position_at_end(body)
        self.assign(s.target.id, Val("int64", builder.load(counter)))
        stores = self.unit.stores
        self.loop(s.body, advance, end)
        self.leave(advance)
        builder.position_at_end(advance)
        builder.store(builder.add(builder.load(counter), I64(step), flags=["nsw"]), counter)
        back = builder.branch(head)
        if call.func.id == "wide":
            lane_memory.advise(back, "vectorize.width", tile.lanes("float32"))
        elif not self.loops and self.unit.stores > stores:  # loops within others are short: their ends would count
            lane_memory.advise(back, "interleave.count", 4)  # steps of one exp wait for each other
        builder.position_at_end(end)

    def loop(self, statements, again, end):
        self.loops.append((again, end))
        self.block(statements)
        self.loops.pop()

    def leave(self, block):
        if not self.builder.block.is_terminated:
            self.builder.branch(block)

    def blocks(self, *names):
        return [self.builder.append_basic_block(name) for name in names]
