"""LLVM instructions for the names of `tile.py`, for whichever compiler asks.

An element type is LLVM's float or double. A tile is a struct of `M * V` vectors of 64 bytes, which LLVM takes
apart into registers. Pointers are to elements, indices are int64.
"""

from __future__ import annotations

import contextlib

from llvmlite import ir

_FREE = ("contract",)  # a product and its sum may become one fma
_INT = ir.IntType(32)


def size(element) -> int:
    """Bytes of an element."""
    return 4 if isinstance(element, ir.FloatType) else 8


def lanes(element) -> int:
    """Elements in a vector."""
    return 64 // size(element)


def vector_type(element):
    """LLVM's vector of 64 bytes."""
    return ir.VectorType(element, lanes(element))


def tile_type(M: int, V: int, element):
    """LLVM's struct for a tile."""
    return ir.LiteralStructType([vector_type(element)] * (M * V))


def zeros(M, V, element):
    """A tile of zeros."""
    return ir.Constant(tile_type(M, V, element), None)


def _at(builder, p, *indices):
    """Address of element `sum(indices)` behind pointer `p`."""
    total = indices[0]
    for index in indices[1:]:
        total = builder.add(total, index)
    return builder.gep(p, [total])


def _load(builder, element, p, *indices):
    """The vector at an address aligned to one element only."""
    place = builder.bitcast(_at(builder, p, *indices), vector_type(element).as_pointer())
    return builder.load(place, align=size(element))


def _store(builder, element, value, p, *indices):
    place = builder.bitcast(_at(builder, p, *indices), vector_type(element).as_pointer())
    builder.store(value, place, align=size(element))


def _spread(builder, value, count):
    """A vector with `value` in every lane."""
    vector = ir.VectorType(value.type, count)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(
        first, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(_INT, count), [0] * count)
    )


def _multiply_add(builder, a, b, c):
    return builder.fadd(builder.fmul(a, b, flags=_FREE), c, flags=_FREE)


def _int(value):
    return ir.Constant(ir.IntType(64), value)


def outer(builder, M, V, element, old, w, i, x, j):
    """One broadcast and V multiply-adds a row; the V loads are shared by all rows."""
    columns = [_load(builder, element, x, j, _int(v * lanes(element))) for v in range(V)]
    new = ir.Constant(old.type, ir.Undefined)
    for m in range(M):
        weight = _spread(builder, builder.load(_at(builder, w, i, _int(m))), lanes(element))
        for v, column in enumerate(columns):
            k = m * V + v
            total = _multiply_add(builder, weight, column, builder.extract_value(old, k))
            new = builder.insert_value(new, total, k)
    return new


def dots(builder, M, V, element, old, g, rows, i, p, x, columns, j, q):
    """M + V loads for M * V multiply-adds."""
    left = [_load(builder, element, g, p, builder.load(_at(builder, rows, i, _int(m)))) for m in range(M)]
    right = [_load(builder, element, x, q, builder.load(_at(builder, columns, j, _int(v)))) for v in range(V)]
    return _products(builder, V, old, left, right)


def dots_below(builder, M, V, element, old, g, rows, i, p, x, columns, j, q, count):
    """The loads are masked; what they leave out is 0."""
    load, _ = _masked(builder, element)
    mask = _below(builder, element, _int(0), count)
    left = [load(_at(builder, g, p, builder.load(_at(builder, rows, i, _int(m)))), mask) for m in range(M)]
    right = [load(_at(builder, x, q, builder.load(_at(builder, columns, j, _int(v)))), mask) for v in range(V)]
    return _products(builder, V, old, left, right)


def _products(builder, V, old, left, right):
    """`old` and every vector of `left` times every one of `right`."""
    new = ir.Constant(old.type, ir.Undefined)
    for m, a in enumerate(left):
        for v, b in enumerate(right):
            k = m * V + v
            total = _multiply_add(builder, a, b, builder.extract_value(old, k))
            new = builder.insert_value(new, total, k)
    return new


def put(builder, M, V, element, value, y, i, stride):
    """Unaligned stores."""
    for m in range(M):
        row = builder.mul(stride, _int(m))
        for v in range(V):
            part = builder.extract_value(value, m * V + v)
            _store(builder, element, part, y, i, row, _int(v * lanes(element)))


def more(builder, M, V, element, value, y, i, stride):
    """Unaligned loads and stores."""
    for m in range(M):
        row = builder.mul(stride, _int(m))
        for v in range(V):
            at = (i, row, _int(v * lanes(element)))
            part = builder.fadd(_load(builder, element, y, *at), builder.extract_value(value, m * V + v))
            _store(builder, element, part, y, *at)


def sums(builder, M, V, element, value, y):
    """Halves added to halves, so the order does not depend on the CPU."""
    for k in range(M * V):
        part = builder.extract_value(value, k)
        count = part.type.count
        while count > 1:
            count //= 2
            undefined = ir.Constant(part.type, ir.Undefined)
            index = ir.VectorType(_INT, count)
            low, high = (
                builder.shuffle_vector(part, undefined, ir.Constant(index, list(range(at, at + count))))
                for at in (0, count)
            )
            part = builder.fadd(low, high)
        builder.store(builder.extract_element(part, ir.Constant(_INT, 0)), _at(builder, y, _int(k)))


def _function(module, name, kind):
    found = module.globals.get(name)
    return ir.Function(module, kind, name) if found is None else found


def _masked(builder, element):
    """`(load, store)`: `load(pointer, mask)` has 0 in the other lanes; neither touches memory there."""
    vector = vector_type(element)
    at, mask_type = vector.as_pointer(), ir.VectorType(ir.IntType(1), vector.count)
    suffix = f"v{vector.count}f{8 * size(element)}.p0"
    align = ir.Constant(_INT, size(element))
    load = _function(
        builder.module,
        f"llvm.masked.load.{suffix}",
        ir.FunctionType(vector, [at, _INT, mask_type, vector]),
    )
    store = _function(
        builder.module,
        f"llvm.masked.store.{suffix}",
        ir.FunctionType(ir.VoidType(), [vector, at, _INT, mask_type]),
    )
    return (
        lambda p, mask: builder.call(load, [builder.bitcast(p, at), align, mask, ir.Constant(vector, None)]),
        lambda value, p, mask: builder.call(store, [value, builder.bitcast(p, at), align, mask]),
    )


def _below(builder, element, k, bound):
    """Mask of the lanes `l` with `k + l < bound`."""
    count = lanes(element)
    room = _spread(builder, builder.trunc(builder.sub(bound, k), _INT), count)
    return builder.icmp_signed("<", ir.Constant(ir.VectorType(_INT, count), list(range(count))), room)


@contextlib.contextmanager
def _steps(builder, stop, step):
    """A loop `for k in range(0, stop, step)`; gives `k`."""
    before = builder.block
    head, body, end = (builder.append_basic_block(name) for name in ("steps", "step", "stepped"))
    builder.branch(head)
    builder.position_at_end(head)
    k = builder.phi(ir.IntType(64))
    k.add_incoming(_int(0), before)
    builder.cbranch(builder.icmp_signed("<", k, stop), body, end)
    builder.position_at_end(body)
    yield k
    k.add_incoming(builder.add(k, _int(step), flags=["nsw"]), builder.block)
    builder.branch(head)
    builder.position_at_end(end)


def copy(builder, element, y, i, x, j, n):
    """Whole vectors, then one masked load and store."""
    whole = builder.and_(n, _int(-lanes(element)))
    with _steps(builder, whole, lanes(element)) as k:
        _store(builder, element, _load(builder, element, x, j, k), y, i, k)
    with builder.if_then(builder.icmp_signed("<", whole, n)):
        load, store = _masked(builder, element)
        mask = _below(builder, element, whole, n)
        store(load(_at(builder, x, j, whole), mask), _at(builder, y, i, whole), mask)


def window(builder, element, y, i, x, j, first, last, n):
    """Masked loads and stores throughout."""
    load, store = _masked(builder, element)
    with _steps(builder, n, lanes(element)) as k:
        inside = builder.and_(
            _below(builder, element, k, last), builder.not_(_below(builder, element, k, first))
        )
        value = load(_at(builder, x, j, k), inside)
        store(value, _at(builder, y, i, k), _below(builder, element, k, n))


def turn(builder, element, y, i, down, x, j, across, rows, columns):
    """Blocks of 1, 2, 4 ... lanes are exchanged between vectors that lie as far apart: the transpose."""
    count = lanes(element)
    sources = [_at(builder, x, j, builder.mul(across, _int(k))) for k in range(count)]
    targets = [_at(builder, y, i, builder.mul(down, _int(k))) for k in range(count)]
    whole = builder.and_(*(builder.icmp_signed(">=", n, _int(count)) for n in (rows, columns)))
    with builder.if_else(whole) as (then, otherwise):
        with then:
            for value, target in zip(
                _turned(builder, [_load(builder, element, p, _int(0)) for p in sources]), targets, strict=True
            ):
                _store(builder, element, value, target, _int(0))
        with otherwise:
            load, store = _masked(builder, element)

            def mask(k, there, width):
                return _below(builder, element, _int(0), builder.select(_less(builder, k, there), width, _int(0)))

            found = [load(p, mask(k, rows, columns)) for k, p in enumerate(sources)]
            for k, (value, target) in enumerate(zip(_turned(builder, found), targets, strict=True)):
                store(value, target, mask(k, columns, rows))


def _less(builder, k, bound):
    return builder.icmp_signed("<", _int(k), bound)


def _turned(builder, vectors):
    """The transpose of the square matrix whose rows are `vectors`."""
    count = len(vectors)
    kind, step = ir.VectorType(_INT, count), 1
    while step < count:
        low = ir.Constant(kind, [k if not k & step else count + k - step for k in range(count)])
        high = ir.Constant(kind, [k + step if not k & step else count + k for k in range(count)])
        for k in range(count):
            if not k & step:
                a, b = vectors[k], vectors[k + step]
                vectors[k] = builder.shuffle_vector(a, b, low)
                vectors[k + step] = builder.shuffle_vector(a, b, high)
        step *= 2
    return vectors
