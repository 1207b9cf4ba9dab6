"""Einstein summation as transposes, reshapes and matrix products, so that it differentiates and compiles as they do."""

from __future__ import annotations

import functools
import math
import operator
import string

import numpy

from ..errors import MXNetError
from .diagonal import diagonal
from .matmul import matmul
from .move import reshape, transpose
from .reduce import broadcast_to, sum_


def parse(subscripts: str, ndims) -> tuple[list[str], str]:
    """One letter for each axis of each operand, and of the answer; an ellipsis becomes capital letters not in use.

    >>> parse("ij,jk", [2, 2])
    (['ij', 'jk'], 'ik')
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(
            f"einsum: {subscripts!r} names {len(terms)} operands but {len(ndims)} were passed. Pass as many."
        )
    free = [c for c in reversed(string.ascii_letters) if c not in text]
    found, dots = [], 0
    for term, ndim in zip(terms, ndims, strict=True):
        named = len(term.replace("...", ""))
        if named > ndim or ("..." not in term and named != ndim):
            raise MXNetError(
                f"einsum: {term!r} names {named} axes of an array that has {ndim}. Each axis has one letter."
                " Correct the"
                f" subscripts {subscripts!r}, or reshape the array."
            )
        dots = max(dots, ndim - named)
    letters = "".join(free[:dots])
    for term, ndim in zip(terms, ndims, strict=True):
        extra = ndim - len(term.replace("...", ""))
        found.append(term.replace("...", letters[dots - extra :]))
    if arrow:
        answer = right.replace("...", letters)
        unknown = set(answer) - set("".join(found))
        if unknown or len(set(answer)) != len(answer):
            raise ValueError(
                f"einsum: the answer {right!r} of {subscripts!r} must name axes of the operands, each once."
            )
    else:
        every = "".join(found)
        answer = letters + "".join(sorted(c for c in set(every) - set(letters) if every.count(c) == 1))
    return found, answer


class _Plan:
    """Operations that bring operands of known shapes to an answer; what is not there yet has a number and a shape.

    Attributes:
        steps: `(function, numbers of its arguments, keywords)`; the answer takes the place of the first.
        shapes: by number.
    """

    def __init__(self, shapes):
        self.steps: list = []
        self.shapes = list(shapes)

    def add(self, function, k: int, shape, /, **spec) -> None:
        """A step on number `k` alone."""
        self.steps.append((function, (k,), spec))
        self.shapes[k] = tuple(shape)

    def reshape(self, k: int, shape) -> None:
        if tuple(shape) != self.shapes[k]:
            self.add(reshape.direct, k, shape, shape=tuple(shape))

    def arrange(self, k: int, term: str, order: str) -> None:
        """Axes in the order of the letters; both have the same letters."""
        axes = tuple(term.index(c) for c in order)
        if axes != tuple(range(len(axes))):
            self.add(transpose.direct, k, [self.shapes[k][j] for j in axes], axes=axes)

    def broadcast(self, k: int, shape) -> None:
        if tuple(shape) != self.shapes[k]:
            self.add(broadcast_to.direct, k, shape, shape=tuple(shape))

    def reduce(self, k: int, term: str, keep) -> str:
        """Summed over the letters not in `keep`; returns the others."""
        axis = tuple(j for j, c in enumerate(term) if c not in keep)
        if axis:
            kept = [n for j, n in enumerate(self.shapes[k]) if j not in axis]
            self.add(sum_.direct, k, kept, axis=axis, keepdims=False)
        return "".join(c for c in term if c in keep)

    def single(self, k: int, term: str) -> str:
        """Axes with the same letter become their diagonal."""
        for c in dict.fromkeys(term):
            while term.count(c) > 1:
                i, j = term.index(c), term.rindex(c)
                shape = self.shapes[k]
                rest = [m for m in range(len(shape)) if m not in (i, j)]
                self.add(transpose.direct, k, [shape[m] for m in (*rest, i, j)], axes=(*rest, i, j))
                self.add(diagonal.direct, k, [shape[m] for m in (*rest, i)], offset=0)
                term = "".join(term[m] for m in rest) + c
        return term

    def pair(self, i: int, left: str, j: int, right: str, keep) -> str:
        """The product of two operands in the place of the first, summed over the letters that nothing else needs."""
        left = self.reduce(i, left, set(right) | keep)
        right = self.reduce(j, right, set(left) | keep)
        batch = "".join(c for c in left if c in right and c in keep)
        summed = "".join(c for c in left if c in right and c not in keep)
        rows, columns = ("".join(c for c in term if c not in other) for term, other in ((left, right), (right, left)))
        size = dict(zip(left, self.shapes[i], strict=True)) | dict(zip(right, self.shapes[j], strict=True))
        shape = lambda letters: tuple(size[c] for c in letters)
        self.arrange(i, left, batch + rows + summed)
        self.arrange(j, right, batch + summed + columns)
        answer = batch + rows + columns
        if not summed:  # nothing to add up: an ordinary product
            self.reshape(i, shape(batch + rows) + (1,) * len(columns))
            self.reshape(j, shape(batch) + (1,) * len(rows) + shape(columns))
            self.steps.append((operator.mul, (i, j), {}))
        else:
            n, k, m = (math.prod(shape(letters)) for letters in (rows, summed, columns))
            self.reshape(i, (*shape(batch), n, k))
            self.reshape(j, (*shape(batch), k, m))
            self.steps.append((matmul.direct, (i, j), {}))
            self.shapes[i] = (*shape(batch), n, m)
            self.reshape(i, shape(answer))
        self.shapes[i] = shape(answer)
        return answer


def _sizes(shapes, terms, subscripts) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for shape, term in zip(shapes, terms, strict=True):
        for c, n in zip(term, shape, strict=True):
            if sizes.setdefault(c, n) != n:
                if 1 not in (n, sizes[c]):
                    raise MXNetError(
                        f"einsum: axis {c!r} of {subscripts!r} has length {sizes[c]} in one operand and {n} in another"
                        f" (shapes {list(shapes)}). They must agree. Reshape one of them."
                    )
                sizes[c] = max(n, sizes[c]) if 0 not in (n, sizes[c]) else 0
    return sizes


def _plan(subscripts: str, shapes, optimize):
    """`(steps, number of the answer)` for operands of these shapes."""
    terms, answer = parse(subscripts, [len(s) for s in shapes])
    sizes = _sizes(shapes, terms, subscripts)
    plan, work = _Plan(shapes), []
    for k, term in enumerate(terms):
        plan.broadcast(k, [sizes[c] if term.count(c) > 1 else n for c, n in zip(term, shapes[k], strict=True)])
        term = plan.single(k, term)
        # an axis of length 1 broadcasts by being absent
        single = "".join(c for c, n in zip(term, plan.shapes[k], strict=True) if n == sizes[c])
        plan.reshape(k, [sizes[c] for c in single])
        work.append((k, single))
    if optimize and len(work) > 2:
        joined = ",".join(t for _, t in work) + "->" + answer
        zeros = [numpy.broadcast_to(0.0, plan.shapes[k]) for k, _ in work]
        path = numpy.einsum_path(joined, *zeros, optimize=optimize)[0][1:]
    else:
        path = [(0, 1)] * (len(work) - 1)
    for step in path:
        picked = [work[k] for k in step]
        work = [w for k, w in enumerate(work) if k not in step]
        i, term = picked[0]
        for k, (j, other) in enumerate(picked[1:], 2):
            keep = set(answer).union(*(t for _, t in work), *(t for _, t in picked[k:]))
            term = plan.pair(i, term, j, other, keep)
        work.insert(0 if path[0] == (0, 1) and not optimize else len(work), (i, term))
    k, term = work[0]
    term = plan.reduce(k, term, set(answer))
    plan.arrange(k, term, "".join(c for c in answer if c in term))
    plan.reshape(k, [sizes[c] if c in term else 1 for c in answer])
    plan.broadcast(k, [sizes[c] for c in answer])
    return plan.steps, k


_remembered = functools.lru_cache(maxsize=1024)(_plan)


def einsum(subscripts: str, *operands, optimize=False):
    """Products of the operands summed over the letters that the answer does not name.

    Args:
        subscripts: `'ij,jk->ik'`; letters for axes, `...` for the rest, the answer left out or after `->`.
        optimize: choose the order of the products (as `numpy.einsum_path` does) when there are more than two operands.
    """
    shapes = tuple([x._data.shape for x in operands])
    find = _remembered if type(optimize) is bool or type(optimize) is str else _plan
    steps, last = find(subscripts, shapes, optimize)
    values = list(operands)
    for function, numbers, spec in steps:
        if len(numbers) == 1:
            values[numbers[0]] = function(values[numbers[0]], **spec)
        else:
            i, j = numbers
            values[i], values[j] = function(values[i], values[j]), None
    return values[last]


__all__ = ["einsum", "parse"]
