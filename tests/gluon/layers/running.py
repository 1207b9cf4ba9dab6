"""How a row of a table becomes text and arrays; `mx` is MXNet 1.9.1 or numblocks."""

import json
import tempfile
import zlib
from operator import attrgetter
from pathlib import Path

import numpy

ANSWERS = Path(__file__).with_name("answers.npz")
CONTAINERS = ("Sequential", "HybridSequential", "Concurrent", "HybridConcurrent", "SequentialRNNCell",
              "HybridSequentialRNNCell")  # fmt: skip


def stored():
    """What MXNet answered: texts by row, arrays by row and name."""
    with numpy.load(ANSWERS) as file:
        texts, numbers = json.loads(file["texts"].tobytes()), file["numbers"]
    arrays, at = {}, 0
    for name, text in texts.items():
        arrays[name] = {}
        for key, shape in text.pop("shapes").items():
            size = int(numpy.prod(shape))
            arrays[name][key] = numbers[at : at + size].reshape(shape)
            at += size
    return texts, arrays


def value(name: str, spec) -> numpy.ndarray:
    """Values that depend on the name and the shape alone; a word before the shape says of what kind."""
    if spec is None:
        return None
    kind, shape = (spec[0], spec[1:]) if spec and isinstance(spec[0], str) else ("", spec)
    if kind == "given":
        return numpy.array(spec[1], "float32")
    r = numpy.random.RandomState(zlib.crc32(name.encode()))
    x = r.uniform(-1, 1, shape)
    if kind.startswith("below"):
        x = numpy.floor((x + 1) / 2 * int(kind[5:]))
    elif kind == "chances":
        x = numpy.exp(2 * x)
        x = x / x.sum(-1, keepdims=True)
    elif kind == "logs":
        x = x - numpy.log(numpy.exp(x).sum(-1, keepdims=True))
    elif kind:
        x = {"positive": (x + 1.1), "sign": numpy.where(x > 0, 1, -1), "bit": x > 0, "unit": x / 2.5 + 0.5,
             "wide": 4 * x}[kind]  # fmt: skip
    return x.astype("float32")


def whole(spec) -> bool:
    """Are the values classes or lengths, which have no gradient?"""
    return spec is None or bool(spec) and (str(spec[0]).startswith("below") or spec[0] in ("given", "bit", "sign"))


def build(mx, where, kind, arguments):
    """The object of a row; `parts` among the arguments are such rows themselves."""
    arguments = dict(arguments)
    parts = [build(mx, *part) for part in arguments.pop("parts", ())]
    made = attrgetter(f"{where}.{kind}")(mx)
    if kind not in CONTAINERS:
        return made(*parts, **arguments)
    made = made(**arguments)
    for part in parts:
        made.add(part)
    return made


def flat(y):
    """The arrays of nested lists."""
    return [part for each in y for part in flat(each)] if isinstance(y, (list, tuple)) else [y]


def call(row, block, xs):
    """The outputs of a block: plainly, with states, or unrolled."""
    how = dict(row.call)
    if not how:
        return flat(block(*xs))
    xs = list(xs)
    lengths = xs.pop() if how.pop("lengths", False) else None
    states = xs[1:] or None
    if "unroll" in how:
        if hasattr(block, "reset"):
            block.reset()
        return flat(block.unroll(how.pop("unroll"), xs[0], begin_state=states, valid_length=lengths, **how))
    more = {} if lengths is None else {"sequence_length": lengths}
    return flat(block(xs[0], states, **more))


def rounded(x, dtype):
    """Values of float16 in float32, or else x in the dtype."""
    return x.astype("float16").astype("float32") if dtype == "half values" else x.astype(dtype)


def fill(block, array, dtype="float32"):
    """All parameters by their place."""
    for k, (name, param) in enumerate(block.collect_params().items()):
        x = value(f"parameter {k}", tuple(param.shape)) * (0.1 if "offset" in name else 1)  # offsets of a pixel or so
        param.set_data(array(rounded(abs(x) + 0.5 if name.endswith("_var") else x, dtype)))


def prepared(mx, row, array, dtype="float32", arguments=None, integer=""):
    """The block with its values, its inputs, and how it was printed at first."""
    block = build(mx, row.where, row.kind, row.arguments if arguments is None else arguments)
    text = repr(block)
    block.initialize()
    if dtype in ("float64", "float16"):
        block.cast(dtype)
    xs = [value(f"input {k}", spec) for k, spec in enumerate(row.inputs)]
    for k, (x, spec) in enumerate(zip(xs, row.inputs, strict=True)):
        if spec is not None:
            xs[k] = array(x.astype(integer) if whole(spec) and integer else rounded(x, dtype))
        if not whole(spec):
            xs[k].attach_grad()
    call(row, block, xs)
    fill(block, array, dtype)
    return block, xs, text


def measure(mx, row, block, xs, array):
    """Outputs and gradients by name."""
    with mx.autograd.record(train_mode=row.train):
        ys = call(row, block, xs)
        heads = [array(value(f"head {k}", tuple(y.shape)).astype(y.dtype)) for k, y in enumerate(ys)]
        loss = sum((y * head).sum() for y, head in zip(ys, heads, strict=True))
    loss.backward(train_mode=row.train)
    found = {f"output {k}": y.asnumpy() for k, y in enumerate(ys)}
    found |= {f"input {k}": x.grad.asnumpy() for k, x in enumerate(xs) if not whole(row.inputs[k])}
    for k, param in enumerate(block.collect_params().values()):
        found[f"parameter {k}"] = (param.grad() if param.grad_req != "null" else param.data()).asnumpy()
    return found


def saved_keys(mx, block):
    """The names of parameters in a file."""
    if not block.collect_params().keys():
        return []
    with tempfile.TemporaryDirectory() as folder:
        block.save_parameters(f"{folder}/p")
        return sorted((mx.npx if mx.util.is_np_array() else mx.nd).load(f"{folder}/p"))


def layer(mx, row, array, hybridize=False, **changes):
    """Text and arrays of a row."""
    block, xs, before = prepared(mx, row, array, **changes)
    if hybridize:
        block.hybridize()
        call(row, block, xs)
    found = measure(mx, row, block, xs, array)
    text = {"before": before, "after": repr(block), "parameters": repr(block.collect_params())}
    return text | {"keys": saved_keys(mx, block)}, found
