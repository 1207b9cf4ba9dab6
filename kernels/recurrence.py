"""Recurrences over time: one matrix product and one fused kernel of gate arithmetic for each step.

The steps become rows of one native table, so a whole pass over a sequence is one call without the interpreter lock.
Arrays may have the time axis first or second: the leading dimension of a matrix product and the row stride of a
kernel carry it, nothing is transposed.
"""

from __future__ import annotations

import numpy as np

from . import build, loops, native, workers
from .program import Program


class Frames:
    """A matrix for each time step: `(rows, width)` windows of one array.

    Args:
        x: `(time, batch, width)`, or `(batch, time, width)` when `axis` is 1, the last axis contiguous; or one
            `(batch, width)` matrix or one `(width,)` row that serves every step.
        times: for each step the index on the time axis.
        first: for a state, the `(batch, width)` matrix that serves step 0; step k has index `times[k - 1]`.
        column: where the window begins.
    """

    def __init__(self, x, times, axis: int = 0, first=None, column: int = 0):
        self.x, self.times, self.axis, self.first, self.column = x, times, axis, first, column

    def words(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Address and row stride (elements) of each step's window."""
        x, item = self.x, self.x.itemsize
        step, row = 0, 0
        if x.ndim == 3:
            step, row = x.strides[self.axis], x.strides[1 - self.axis] // item
        elif x.ndim == 2:
            row = x.strides[0] // item
        addresses = native.address(x) + self.column * item + self.times[:count] * step
        rows = np.full(count, row, np.int64)
        if self.first is not None:
            addresses[1:] = addresses[:-1]
            addresses[0], rows[0] = native.address(self.first) + self.column * item, self.first.strides[0] // item
        return addresses, rows

    def matrix(self, k: int) -> np.ndarray:
        """The window of step `k` (of a three-axis array) with all its columns."""
        if self.first is not None:
            if k == 0:
                return self.first
            k -= 1
        return self.x if self.x.ndim == 2 else self.x[(slice(None),) * self.axis + (self.times[k],)]


class Gemm:
    """`out = a @ w` at each step; `a` as Frames, `w` and `out` the same matrices at every step."""

    def __init__(self, a: Frames, w: np.ndarray, out: np.ndarray):
        self.a, self.w, self.out = a, w, out

    def rows(self, count: int):
        """Native address, number of pieces and one row of packed words for each step."""
        (m, n), k = self.out.shape, self.w.shape[0]
        words = np.zeros((count, 16), np.int64)
        words[:, 8], rows = self.a.words(count)
        rows = np.maximum(rows, k)  # a batch of one may have any stride, BLAS wants a plausible one
        across = int(rows.max(initial=k))
        pieces, cut = native.pieces(m, n, k, (111, across), (111, self.w.shape[1]), self.w.itemsize)
        if cut[2] and (rows != across).any():  # cut between rows that lie differently far apart from step to step
            pieces, cut = native.whole(m, n)
        words[:, :8] = *cut[:2], k, 111, 111, 0, self.w.shape[1], n
        words[:, 5], words[:, 11:] = rows, cut[2:]
        words[:, 9], words[:, 10] = native.address(self.w), native.address(self.out)
        return native.gemm(self.w.dtype.name), pieces, words

    @property
    def large(self) -> bool:
        """Whether BLAS would use threads of its own."""
        return self.out.size * self.w.shape[0] > native.BLAS_ALONE

    def run(self, k: int) -> None:
        """The step in NumPy, where there is no native BLAS."""
        np.matmul(self.a.matrix(k), self.w, out=self.out)


class Gates:
    """A Program over (batch, hidden) at each step, its operands as Frames in the program's order."""

    def __init__(self, program: Program, sizes: tuple[int, int], operands: list[Frames]):
        self.program, self.sizes, self.operands = program, sizes, operands
        self.kernel = loops.program_kernel(program)

    def rows(self, count: int):
        """Native address and one row of packed words for each step."""
        columns = [np.full(count, n, np.int64) for n in self.sizes]
        for operand, frames in zip(self.program.reads + self.program.writes, self.operands, strict=True):
            address, row = frames.words(count)
            columns += [address, row] if operand.layout == "sc" else [address]
        return self.kernel.address, self.sizes[0], np.ascontiguousarray(np.stack(columns, 1))


recorder = None  # called `(count, steps)` at each `run`, while someone writes down what an op launches


def run(count: int, steps: list) -> None:
    """Run `steps` (Gemm and Gates, in order) for each of `count` time steps."""
    if recorder is not None:
        recorder(count, steps)

    def rows(step):
        return step.rows(count) if isinstance(step, Gates) or native.gemm(step.w.dtype.name) else (None, 1, None)

    made = [rows(step) for step in steps]
    if all(address is not None for address, _, _ in made):
        table, keep, shared = np.empty((count, len(made), 4), np.int64), [], False
        for j, (step, (address, extent, words)) in enumerate(zip(steps, made, strict=True)):
            places = native.address(words) + np.arange(count) * (words.shape[1] * 8)
            parts = None
            if isinstance(step, Gemm) and extent > 1:
                parts = workers.shared(address, 0, extent, 1, build.load)
            if parts is not None:
                shared, address, extent = True, parts[0], 1
                words = np.tile(np.array(parts[1], np.int64), (count, 1))
                words[:, 1] = places
                places = native.address(words) + np.arange(count) * (words.shape[1] * 8)
            keep.append(words)
            table[:, j, 0], table[:, j, 1], table[:, j, 2], table[:, j, 3] = address, 0, extent, places
        build.launched(count * sum(isinstance(s, Gates) for s in steps))
        products = any(isinstance(s, Gemm) and s.large for s in steps)
        rows = native.table(table.reshape(-1, 4), shared, products, keep)
        if shared:
            workers.wake()
        native.sequence()(0, len(rows), native.address(rows))
        return
    for k in range(count):
        for step, (_, extent, words) in zip(steps, made, strict=True):
            if isinstance(step, Gemm):
                step.run(k)
            else:
                step.kernel(0, extent, native.address(words[k]))
