"""Einstein summation as transposes, reshapes and matrix products, so that it differentiates and compiles as they do."""

from __future__ import annotations

import math
import string

import numpy

from ..errors import MXNetError
from .diagonal import diagonal
from .kinds import stand_in
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


def _without_repeats(x, term: str):
    """Axes with the same letter become their diagonal."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            i, j = term.index(c), term.rindex(c)
            rest = [k for k in range(x.ndim) if k not in (i, j)]
            x = diagonal(transpose(x, axes=(*rest, i, j)), offset=0)
            term = "".join(term[k] for k in rest) + c
    return x, term


def _sizes(operands, terms, subscripts) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for x, term in zip(operands, terms, strict=True):
        for c, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(c, n) != n:
                if 1 not in (n, sizes[c]):
                    raise MXNetError(
                        f"einsum: axis {c!r} of {subscripts!r} has length {sizes[c]} in one operand and {n} in another"
                        f" (shapes {[tuple(x.shape) for x in operands]}). They must agree. Reshape one of them."
                    )
                sizes[c] = max(n, sizes[c]) if 0 not in (n, sizes[c]) else 0
    return sizes


def _reduced(x, term: str, keep):
    """Summed over the letters not in `keep`."""
    axis = tuple(k for k, c in enumerate(term) if c not in keep)
    return (sum_(x, axis=axis, keepdims=False), "".join(c for c in term if c in keep)) if axis else (x, term)


def _arranged(x, term: str, order: str):
    """Axes in the order of the letters; both have the same letters."""
    axes = tuple(term.index(c) for c in order)
    return x if axes == tuple(range(len(axes))) else transpose(x, axes=axes)


def _pair(a, left: str, b, right: str, keep):
    """The product of two operands, summed over the letters that nothing else needs."""
    a, left = _reduced(a, left, set(right) | keep)
    b, right = _reduced(b, right, set(left) | keep)
    batch = "".join(c for c in left if c in right and c in keep)
    summed = "".join(c for c in left if c in right and c not in keep)
    rows, columns = ("".join(c for c in term if c not in other) for term, other in ((left, right), (right, left)))
    size = dict(zip(left, a.shape, strict=True)) | dict(zip(right, b.shape, strict=True))
    shape = lambda letters: tuple(size[c] for c in letters)
    a, b = _arranged(a, left, batch + rows + summed), _arranged(b, right, batch + summed + columns)
    answer = batch + rows + columns
    if not summed:  # nothing to add up: an ordinary product
        a = reshape(a, shape=shape(batch + rows) + (1,) * len(columns))
        b = reshape(b, shape=shape(batch) + (1,) * len(rows) + shape(columns))
        return a * b, answer
    n, k, m = (math.prod(shape(letters)) for letters in (rows, summed, columns))
    y = matmul(reshape(a, shape=(*shape(batch), n, k)), reshape(b, shape=(*shape(batch), k, m)))
    return reshape(y, shape=shape(answer)), answer


def einsum(subscripts: str, *operands, optimize=False):
    """Products of the operands summed over the letters that the answer does not name.

    Args:
        subscripts: `'ij,jk->ik'`; letters for axes, `...` for the rest, the answer left out or after `->`.
        optimize: choose the order of the products (as `numpy.einsum_path` does) when there are more than two operands.
    """
    terms, answer = parse(subscripts, [x.ndim for x in operands])
    sizes = _sizes(operands, terms, subscripts)
    work = []
    for x, term in zip(operands, terms, strict=True):
        full = tuple(sizes[c] if term.count(c) > 1 else n for c, n in zip(term, x.shape, strict=True))
        x, term = _without_repeats(broadcast_to(x, shape=full) if full != x.shape else x, term)
        # an axis of length 1 broadcasts by being absent
        single = "".join(c for c, n in zip(term, x.shape, strict=True) if n == sizes[c])
        work.append((reshape(x, shape=tuple(sizes[c] for c in single)) if single != term else x, single))
    if optimize and len(work) > 2:
        joined = ",".join(t for _, t in work) + "->" + answer
        path = numpy.einsum_path(joined, *[stand_in(x._data) for x, _ in work], optimize=optimize)[0][1:]
    else:
        path = [(0, 1)] * (len(work) - 1)
    for step in path:
        picked = [work[k] for k in step]
        work = [w for k, w in enumerate(work) if k not in step]
        x, term = picked[0]
        for k, (z, other) in enumerate(picked[1:], 2):
            keep = set(answer).union(*(t for _, t in work), *(t for _, t in picked[k:]))
            x, term = _pair(x, term, z, other, keep)
        work.insert(0 if path[0] == (0, 1) and not optimize else len(work), (x, term))
    x, term = _reduced(*work[0], set(answer))
    x = _arranged(x, term, "".join(c for c in answer if c in term))
    kept = tuple(sizes[c] if c in term else 1 for c in answer)
    x = reshape(x, shape=kept) if kept != x.shape else x
    full = tuple(sizes[c] for c in answer)
    return broadcast_to(x, shape=full) if full != x.shape else x


__all__ = ["einsum", "parse"]
