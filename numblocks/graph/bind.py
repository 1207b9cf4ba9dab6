"""Binding: the steps of a schedule as functions over memory that is known.

Neighbouring steps that are machine code become rows of one table, walked by a single native call.
"""

from __future__ import annotations

import functools

import numpy

from ..kernels import build, loops, native, products, transposing, workers
from ..ops import random as rnd
from .describe import place
from .fuse import DTYPES
from .graph import Node
from .lower import Launch, Stream, View, whole
from .schedule import Call, Copy, Schedule


class Bound:
    """The steps of a schedule as functions of the environment.

    Neighbouring steps that are machine code (kernels, matrix products) become rows of one table, which a single native
    call walks; a row may be shared among threads.
    """

    def __init__(self, instance, schedule: Schedule, offset_of, watchers=()):
        self.instance, self.schedule, self.offset_of = instance, schedule, offset_of
        self.slots = instance.plan.slots
        self.launches = 0
        self.keys: list[tuple[memoryview, int, int]] = []  # packed words, position, number of a random stream
        self.keep: list = []
        self.steps: list = []
        self.rows: list[tuple] = []
        self.shared = 0.0  # grains of work in rows that workers may help with
        self.products = False  # whether a row would set BLAS's threads going
        for step in schedule.steps:
            if watchers:
                self.watched(step, watchers)
            else:
                self.bind(step)
        self.flush()

    def watched(self, step, watchers) -> None:
        """Bind a step by itself, each watcher's function round it."""
        first = len(self.steps)
        self.bind(step)
        native = bool(self.rows)
        self.flush()
        for watcher in watchers:
            self.steps[first:] = [watcher(self, step, native, function) for function in self.steps[first:]]

    def title(self) -> str:
        """Name and pass, for those who look on."""
        plan = self.instance.plan
        return f"{plan.name} {'forward' if self.schedule is plan.first else 'backward'}"

    def run(self, base: int) -> None:
        """Run all steps; `base` is the call's first random stream."""
        env = self.instance.env
        for words, position, number in self.keys:
            words[position] = loops.scalar_bits(rnd.generator.key(base + number), "uint64")
        for step in self.steps:
            step(env, base)
        build.launched(self.launches)

    def flush(self) -> None:
        """Make the rows gathered so far one native call."""
        if not self.rows:
            return
        table = native.table(self.rows, self.shared > 0, self.products, self.keep)
        self.keep.append(table)
        call, count, pointer = native.sequence(), len(table), native.address(table)

        def alone(env, base):
            call(0, count, pointer)

        def shared(env, base):
            workers.wake()
            call(0, count, pointer)

        self.steps.append(shared if self.shared >= workers.WORTH_WAKING else alone)
        self.rows, self.shared, self.products = [], 0.0, False

    def python(self, function) -> None:
        """A step that is a Python function of the environment and the call's first random stream."""
        self.flush()
        self.steps.append(function)

    def row(self, address: int, extent: int, packed: numpy.ndarray, grain: int = 0, work: float | None = None) -> None:
        """A step that is machine code over `[0, extent)`, in pieces of at least `grain` if others may help; `work` says
        how many grains there are if a piece is more than one.
        """
        self.keep.append(packed)
        argp = native.address(packed)
        row, shared = (address, 0, extent, argp), False
        if grain:
            row, shared = native.shared_row(address, extent, argp, grain, self.keep)
        if shared:
            self.shared += extent / grain if work is None else work
        self.rows.append(row)

    def place(self, window: View, packed: memoryview, position: int) -> None:
        """Write the window's address into `packed`, now or whenever its slot is filled."""
        offset = window.offset * window.root.itemsize
        slot = self.slots.get(window.root)
        if slot is None:
            packed[position] = self.instance.start + self.offset_of(window.root) + offset
        else:
            self.instance.places[slot].append((packed, position, offset))

    def bind(self, step) -> None:
        if isinstance(step, Launch):
            self.bind_launch(step)
        elif isinstance(step, Copy):
            read, slot = self.array(step.source), self.slots[step.target]
            self.python(lambda env, base: numpy.copyto(env[slot], read(env)))
        else:
            self.bind_call(step)

    def bind_launch(self, step: Launch) -> None:
        program = step.program
        kernel = loops.program_kernel(program, {name: place(node.where) for name, node in step.lines if node.where})
        strides = [s for _, s in step.operands]
        values = [0 if isinstance(v, Stream) else v for v in step.scalars]
        packed = loops.pack(program, step.sizes, [0] * len(strides), strides, values)
        words, position = memoryview(packed), len(step.sizes)
        for (window, _), operand in zip(step.operands, program.reads + program.writes, strict=True):
            self.place(window, words, position)
            position += 1 + operand.layout.count("s")
        for value in step.scalars:
            if isinstance(value, Stream):
                self.keys.append((words, position, value.number))
            position += 1
        extent = program.extent(step.sizes)
        if extent == 0:
            return
        self.keep.append(kernel)
        grain = loops.grain(program, step.sizes, extent)
        if kernel.address is not None:
            self.launches += 1
            self.row(kernel.address, extent, packed, grain)
        else:
            self.keep.append(packed)
            argp = native.address(packed)
            self.python(lambda env, base: build.run(kernel, extent, argp, grain))

    def array(self, window: View):
        """A function of the environment that gives the window as a NumPy array."""
        dtype = window.root.dtype
        strides = tuple(s * dtype.itemsize for s in window.strides)
        slot = self.slots.get(window.root)
        if slot is None:
            if 0 in window.shape:
                fixed = numpy.empty(window.shape, dtype)
            else:
                start = self.offset_of(window.root) + window.offset * dtype.itemsize
                fixed = numpy.ndarray(window.shape, dtype, self.instance.arena, start, strides)
            return lambda env: fixed
        if window == whole(window.root):
            return lambda env: env[slot]
        shape, offset = window.shape, window.offset * dtype.itemsize
        return lambda env: numpy.ndarray(shape, dtype, env[slot], offset, strides)

    def bind_call(self, step: Call) -> None:
        node = step.node
        same = all(x.dtype == node.dtype for x in node.nodes())
        if node.op.name == "matmul" and same and self.bind_gemm(step):
            return
        operands = [self.array(x) if isinstance(x, View) else x for x in step.operands]
        target = self.targets(node)
        spec = dict(node.spec)
        if node.kind == "random":
            stream, run, shape, dtype = spec["stream"], node.op.run, node.shape, node.dtype
            self.python(lambda env, base: run(rnd.generator.key(base + stream), shape, dtype, out=target(env)))
            return
        if node.op.name == "matmul" and node.dtype.itemsize >= 4 and same:
            run = products.matmul
        elif node.kind == "elementwise":
            run = functools.partial(_elementwise, node)
        elif node.kind in ("move", "item"):
            run = functools.partial(_copy_of, node.op.run)
        else:
            run = node.op.run
        if node.kind in ("loop", "branch"):
            stream = spec.pop("stream")
            self.python(
                lambda env, base: run(*[x(env) for x in operands], out=target(env), stream=base + stream, **spec)
            )
        elif len(operands) == 1 and callable(operands[0]):
            only = operands[0]
            self.python(lambda env, base: run(only(env), out=target(env), **spec))
        elif len(operands) == 2 and callable(operands[0]) and callable(operands[1]):
            left, right = operands
            self.python(lambda env, base: run(left(env), right(env), out=target(env), **spec))
        else:
            self.python(
                lambda env, base: run(*[x(env) if callable(x) else x for x in operands], out=target(env), **spec)
            )

    def targets(self, node: Node):
        """A function of the environment that gives the array a Call writes; a tuple of them for several results."""
        if not node.parts:
            return self.array(whole(node))
        found = [self.array(whole(n)) for n in node.parts]
        return lambda env: tuple([one(env) for one in found])

    def bind_gemm(self, step: Call) -> bool:
        """A matrix product as a row: NumPy's BLAS called from the table. False where it does not take the operands."""
        node, (a, b) = step.node, step.operands
        item = node.itemsize
        address = None if build.interpreted() else native.gemm(node.dtype.name)
        if address is None or 0 in node.shape or a.shape[-1] == 0:
            return False
        batch = node.shape[:-2]
        steps = [self.batch_step(x, batch) for x in (a, b)]
        forms = [native.gemm_operand([s * item for s in x.strides[-2:]], x.shape[-2:], item) for x in (a, b)]
        if None in steps or None in forms:
            return False
        m, n, k = node.shape[-2], node.shape[-1], a.shape[-1]
        left, right = forms
        places, copied = [(8, a), (9, b), (10, whole(node))], 0
        if not batch and (left[0], right[0]) == (111, 112) and native.transpose_first(m, n, k, node.dtype):
            copied = self.transposed(b, n, k, right[1])
            right = 111, n
            del places[1]
        if batch:
            count, cut, grain = native.batched(m, n, k, int(numpy.prod(batch)), [s * item for s in steps], item)
        else:
            grain, (count, cut) = 1, native.pieces(m, n, k, left, right, item)
        packed = numpy.array(native.product_words(k, left, right, n, (0, copied, 0), cut), dtype=numpy.int64)
        words = memoryview(packed)
        for position, window in places:
            self.place(window, words, position)
        self.products = self.products or m * n * k > native.BLAS_ALONE
        work = count * cut[0] * cut[1] * k / native.SHARED
        self.row(address, count, packed, grain if native.alone() is not None else 0, work)
        return True

    def transposed(self, b: View, n: int, k: int, ldb: int) -> int:
        """Address of a copy `(k, n)` of a matrix whose columns are contiguous, made by a row."""
        kernel = transposing.kernel(b.root.dtype)
        copy = numpy.empty((k, n), b.root.dtype)
        packed = numpy.array([0, native.address(copy), n, k, ldb, n], dtype=numpy.int64)
        self.place(b, memoryview(packed), 0)
        self.keep += [kernel, copy]
        self.row(kernel.address, transposing.bands(k, b.root.dtype), packed)
        return native.address(copy)

    @staticmethod
    def batch_step(x: View, batch: tuple) -> int | None:
        """Elements from one matrix of the batch to the next, if that is one number."""
        lead = (1,) * (len(batch) - len(x.shape) + 2) + x.shape[:-2]
        strides = (0,) * (len(batch) - len(x.shape) + 2) + x.strides[:-2]
        if lead != batch and any(n != 1 for n in lead):
            return None
        return 0 if all(n == 1 for n in lead) else native.batch_step(batch, strides)


def _copy_of(run, x, out, **spec):
    numpy.copyto(out, run(x, **spec))


def _elementwise(node: Node, *xs, out, **spec):
    """An elementwise op on dtypes that generated loops do not know, by NumPy."""
    if node.op.name == "cast":
        numpy.copyto(out, xs[0], casting="unsafe")
    elif node.op.numpy is None and (node.dtype.name in DTYPES or node.dtype == numpy.float16):
        loops.run_scalar(node.op.scalar, xs, out, next(x.dtype for x in xs if isinstance(x, numpy.ndarray)))
    elif node.op.numpy is None:
        raise TypeError(f"{node.op.name}: no kernel for {node.dtype}. Cast to float32 first.")
    else:
        with numpy.errstate(all="ignore"):
            numpy.copyto(out, node.op.numpy(*xs), casting="unsafe")
