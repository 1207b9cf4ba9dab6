"""Runs a net written by numblocks' `export_compiled`. Needs NumPy and nothing else; this file is copied beside the net.

    import net                      # net.py, net-kernels.so, net.json, net.params lie in one folder
    model = net.load()
    y = model(x)                    # NumPy arrays in, NumPy arrays out

Only the signatures (shapes and dtypes) that the net had seen when it was written are known. Kernels are machine code
for the kind of processor that wrote them.
"""

import ctypes
import json
import os
import platform
import struct
import threading

import numpy

FORMAT = "numblocks compiled 1"
_DTYPES = "float32 float64 float16 uint8 int32 int8 int64 bool int16 uint16 uint32 uint64".split()


def load(path=None):
    """The net whose files begin with `path` (without ending); None for those beside this file."""
    return Model(os.path.splitext(os.path.abspath(__file__))[0] if path is None else os.fspath(path))


class Model:
    """A compiled net; call it with NumPy arrays nested as the net's forward takes them.

    Attributes:
        params: arrays by name; change them in place to change the net.
        signatures: the data of each signature.
    """

    def __init__(self, path):
        with open(path + ".json") as file:
            data = json.load(file)
        if data.get("format") != FORMAT:
            raise ValueError(f"{path}.json: format {data.get('format')!r} is not {FORMAT!r}. Export the net again.")
        _check_processor(path, data["processor"])
        arrays = read_params(path + ".params")
        self.name = data["name"]
        self.params = {k.removeprefix("param:"): x for k, x in arrays.items() if k.startswith("param:")}
        self.tables = [arrays[f"table:{k}"] for k in range(data["tables"])]
        self.library = ctypes.CDLL(os.path.abspath(path + "-kernels.so"))
        self.signatures = data["signatures"]
        self._ready = {}
        self._lock = threading.Lock()

    def __call__(self, *inputs):
        """Compute the net's answer for inputs of a known signature."""
        leaves, nesting = inputs, None
        if not all([type(x) is numpy.ndarray for x in inputs]):
            leaves = []
            nesting = json.dumps(_nesting(inputs, leaves))
        key = (nesting, *[(x.shape, x.dtype) for x in leaves])
        with self._lock:
            ready = self._ready.get(key)
            if ready is None:
                ready = self._ready[key] = _Signature(self, self._find(inputs))
            return ready.run(leaves)

    def _find(self, inputs):
        leaves, known = [], []
        nesting = _nesting(inputs, leaves)
        wanted = [[list(x.shape), x.dtype.name] for x in leaves]
        for data in self.signatures:
            arguments = [[a["shape"], a["dtype"]] for a in data["arguments"]]
            if [data["nesting"], arguments] == [nesting, wanted]:
                return data
            known.append(", ".join(f"{dtype}{shape}" for shape, dtype in arguments))
        given = ", ".join(f"{dtype}{shape}" for shape, dtype in wanted)
        raise ValueError(
            f"{self.name}: called with ({given}), but written for ({'); ('.join(known)}). A written net knows the"
            f" signatures it had seen. Convert the input, or call the net with such an input before export_compiled."
        )


class _Signature:
    """One signature bound to memory of its own."""

    def __init__(self, model, data):
        self.data = data
        self.arena, self.start = _memory(data["arena"])
        self.scratch = [_memory(n) for n in data["scratch"]]
        self.tables = model.tables
        self.env, self.addresses = [None] * data["slots"], [0] * data["slots"]
        self.first = len(data["arguments"])
        for k, name in enumerate(data["captured"]):
            self.put(self.first + k, model.params[name])
        self.steps = [self.bind(step, model.library) for step in data["steps"]]
        self.results = [(tuple(r["shape"]), numpy.dtype(r["dtype"]), r["slot"]) for r in data["results"]]
        self.guards = [self.reader(flag) for flag in data["guards"]]

    def bind(self, step, library):
        """A step as a function without arguments."""
        if "kernel" in step:
            call = getattr(library, step["kernel"])
            call.restype, call.argtypes = None, (ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
            n, packed, moving = step["n"], numpy.zeros(len(step["words"]), numpy.int64), []
            for k, word in enumerate(step["words"]):
                if isinstance(word, int):
                    packed[k] = word - (1 << 64) if word >= 1 << 63 else word
                elif word[0] == "a":
                    packed[k] = self.start + word[1]
                elif word[0] == "t":
                    packed[k] = self.scratch[word[1]][1] + word[2]
                elif word[0] == "c":
                    packed[k] = self.tables[word[1]].ctypes.data + word[2]
                else:
                    moving.append((k, word[0], word[1]))
            words, pointer, addresses = memoryview(packed), packed.ctypes.data, self.addresses

            def run():
                for k, slot, offset in moving:
                    words[k] = addresses[slot] + offset
                call(0, n, pointer)

            return run
        if "matmul" in step:
            a, b, y = map(self.reader, step["matmul"])
            return lambda: numpy.matmul(a(), b(), out=y())
        if "copy" in step:
            x, y = map(self.reader, step["copy"])
            return lambda: numpy.copyto(y(), x(), casting="unsafe")
        if "take" in step:
            x, index, y = map(self.reader, step["take"])
            return lambda: self.take(x(), index(), y(), step["axis"], step["mode"])
        if "gather" in step:
            table, operands = self.tables[step["index"]], [self.reader(w) for w in step["gather"]]
            return lambda: self.gather(table, *[w() for w in operands])
        raise ValueError(f"step {sorted(step)} is unknown. The files are newer than this loader. Use theirs.")

    def reader(self, window):
        """A function that gives a window on memory as an array."""
        where, *_, offset = window["at"]
        shape, strides = tuple(window["shape"]), tuple(window["strides"])
        dtype, env = numpy.dtype(window["dtype"]), self.env
        if 0 in shape or where in ("a", "t") or env[where] is not None:  # memory that stays
            buffer = self.arena if where == "a" else self.scratch[window["at"][1]][0] if where == "t" else env[where]
            fixed = numpy.empty(shape, dtype) if 0 in shape else numpy.ndarray(shape, dtype, buffer, offset, strides)
            return lambda: fixed
        return lambda: numpy.ndarray(shape, dtype, env[where], offset, strides)

    def take(self, x, index, y, axis, mode):
        """`x` at `index` along `axis`."""
        index, n = index.astype(numpy.int64), x.shape[axis]
        if mode == "raise" and index.size and not (-n <= index.min() and index.max() < n):
            raise IndexError(f"take: an index is out of bounds for axis of size {n}.")
        y[...] = numpy.take(x, index, axis, mode=mode)

    def gather(self, index, *operands):
        """The elements of all operands but the last, rearranged in the last."""
        flat, y = [x.reshape(-1) for x in operands[:-1]], operands[-1]
        y[...] = (flat[0] if len(flat) == 1 else numpy.concatenate(flat))[index].reshape(y.shape)

    def run(self, leaves):
        """The answer for these arrays."""
        results = [numpy.empty(shape, dtype) for shape, dtype, _ in self.results]
        for k, x in enumerate(leaves):
            self.put(k, x if x.flags.c_contiguous else x.copy(order="C"))
        for (_, _, slot), y in zip(self.results, results, strict=True):
            self.put(slot, y)
        with numpy.errstate(all="ignore"):
            for step in self.steps:
                step()
        for k in range(len(leaves)):
            self.env[k] = None
        if any([flag()[()] for flag in self.guards]):
            raise IndexError("an index is out of range or no whole number.")
        return _rebuild(self.data["outputs"], iter(results))

    def put(self, slot, x):
        """Let `slot` be the C-contiguous array `x`."""
        self.env[slot], self.addresses[slot] = x, x.__array_interface__["data"][0]


def _memory(nbytes):
    """Zeroed bytes that start on a multiple of 64, and their address."""
    raw = numpy.zeros(nbytes + 64, numpy.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + nbytes], raw.ctypes.data + skip


def _nesting(value, leaves):
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        leaves.append(numpy.asarray(value))
        return "*"
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return ["tuple" if isinstance(value, tuple) else "list", [_nesting(v, leaves) for v in value]]
    if isinstance(value, dict):
        return ["dict", [[k, _nesting(v, leaves)] for k, v in value.items()]]
    return ["value", value]


def _rebuild(structure, arrays):
    if structure is None:
        return None
    if structure == "*":
        return next(arrays)
    kind, parts = structure
    if kind == "value":
        return parts
    if kind == "dict":
        return {k: _rebuild(v, arrays) for k, v in parts}
    return (tuple if kind == "tuple" else list)(_rebuild(v, arrays) for v in parts)


def read_params(path):
    """Arrays by name from a `.params` file as `export_compiled` writes it (MXNet's layout, version 3, dense)."""
    with open(path, "rb") as file:
        magic, _, count = struct.unpack("<3Q", file.read(24))
        if magic != 0x112:
            raise ValueError(f"{path}: this is not a .params file.")
        arrays = []
        for _ in range(count):
            magic, storage, ndim = struct.unpack("<Iii", file.read(12))
            if magic != 0xF993FACA or storage != 0:
                raise ValueError(f"{path}: only dense arrays of version 3 are read.")
            shape = struct.unpack(f"<{ndim}q", file.read(8 * ndim))
            dtype = numpy.dtype(_DTYPES[struct.unpack("<3i", file.read(12))[2]])
            nbytes = int(numpy.prod(shape, dtype=numpy.int64)) * dtype.itemsize
            raw = bytearray(file.read(nbytes))
            if len(raw) != nbytes:
                raise ValueError(f"{path}: the file is cut short.")
            arrays.append(numpy.frombuffer(raw, dtype).reshape(shape))
        (named,) = struct.unpack("<Q", file.read(8))
        names = [file.read(struct.unpack("<Q", file.read(8))[0]).decode() for _ in range(named)]
    return dict(zip(names, arrays, strict=True))


def processor(features):
    """What machine code depends on, of this machine: `features` are the instruction sets to look for."""
    return {"machine": platform.machine(), "system": platform.system(), "features": sorted(features & _flags())}


def _flags():
    try:
        with open("/proc/cpuinfo") as file:
            lines = [line for line in file if line.startswith(("flags", "Features"))]
        return set(lines[0].split(":", 1)[1].split())
    except (OSError, IndexError):
        return set()


def _check_processor(path, wanted):
    here = processor(set(wanted["features"]))
    if wanted != here:
        raise OSError(
            f"{path}-kernels.so: was compiled for {_words(wanted)}, this is {_words(here)}. Machine code does not carry"
            f" over. Export the net on a machine like this one."
        )


def _words(processor):
    features = ", ".join(processor["features"]) or "nothing special"
    return f"{processor['system']} on {processor['machine']} with {features}"
