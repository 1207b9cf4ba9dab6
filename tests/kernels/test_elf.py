"""Objects linked by us and by LLVM do the same; what `elf` does not know goes to LLVM; nothing wrong is run."""

import ctypes
import gc
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numblocks.kernels import build, cache, elf, llvm, loader, machine, mathlib, prelude

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64" or build.interpreted(), reason="for x86-64 Linux"
)
IR = """
declare void @memset(ptr, i32, i64)
declare double @cbrt(double)
@table = internal constant [4 x double] [double 1.0, double 8.0, double 27.0, double 64.0]
@calls = internal global i64 40
define void @f(i64 %lo, i64 %hi, ptr %a) {
  %k = load i64, ptr @calls
  %more = add i64 %k, 1
  store i64 %more, ptr @calls
  %at = getelementptr [4 x double], ptr @table, i64 0, i64 %lo
  %x = load double, ptr %at
  %y = call double @cbrt(double %x)
  store double %y, ptr %a
  %a1 = getelementptr i64, ptr %a, i64 1
  store i64 %more, ptr %a1
  ret void
}
"""


def compiled(ir=IR, name="f"):
    from numblocks.kernels import codegen

    return codegen.to_object(ir, name, optimize=True, allowed=None)


def linked(data, undefined, name="f"):
    address, keep = elf.link(data, name, {s: loader.find(s) for s in undefined}.__getitem__)
    return loader.PROTOTYPE(address), keep


def test_constants_globals_and_calls():
    function, keep = linked(*compiled())
    words = np.zeros(2)
    for calls, (k, root) in enumerate(((0, 1), (3, 4), (2, 3)), 41):
        function(k, 0, words.ctypes.data)
        assert words[0] == pytest.approx(root, rel=1e-15) and words.view(np.int64)[1] == calls
    other, kept = linked(*compiled())  # its own memory
    other(0, 0, words.ctypes.data)
    assert words.view(np.int64)[1] == 41 and keep is not kept


def test_the_same_as_llvm():
    text = prelude.header("y = exp(x) / tanh(x)") + (
        "def NAME(lo, hi, a):\n"
        "    x = pointer(a[0], T)\n    y = pointer(a[1], T)\n"
        "    for i in range(lo, hi):\n        y[i] = math.exp(x[i]) / (math.tanh(x[i]) + math.erf(x[i]))\n"
    )
    for dtype in ("float32", "float64"):
        name = f"linked_both_ways_{dtype}"
        kernel = build.load(name, text.replace("NAME", name).replace(", T)", f", {dtype})"))
        data = build.object_code(kernel)
        data, undefined = build._compile(name, kernel.text, "here")
        x = np.linspace(0.1, 9, 1001).astype(dtype)
        found = []
        ours, keep = linked(data, undefined, name)
        address, engine = llvm.load(data, name, {s: loader.find(s) for s in undefined})
        for call in (ours, loader.PROTOTYPE(address)):
            y = np.zeros_like(x)
            args = np.array([x.ctypes.data, y.ctypes.data])
            call(0, x.size, args.ctypes.data)
            found.append(y)
        np.testing.assert_array_equal(*found)
        assert found[0].any()


def test_code_cannot_be_written_and_globals_do_not_run():
    (fixed, changing) = linked(*compiled())[1]
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]

    def rights(start):
        return next(f[1] for f in lines if int(f[0].split("-")[0], 16) <= start < int(f[0].split("-")[1], 16))

    assert rights(fixed.start)[:3] == "r-x" and rights(changing.start)[:3] == "rw-"


def test_memory_is_given_back():
    def mapped():
        return len(Path("/proc/self/maps").read_text().splitlines())

    kept = [linked(*compiled())[1] for _ in range(30)]
    most = mapped()
    del kept
    gc.collect()
    assert mapped() <= most - 30


def changed(data, at, form, value):
    data = bytearray(data)
    struct.pack_into(form, data, at, value)
    return bytes(data)


def test_what_is_not_known_is_left_to_llvm():
    data, undefined = compiled()
    headers = elf.sections(data)
    rela = next(h for h in headers if h[1] == 4 and headers[h[7]][2] & 2)
    info, = struct.unpack_from("<Q", data, rela[4] + 8)
    for bad in (
        changed(data, rela[4] + 8, "<Q", info & ~0xFFFFFFFF | 2),  # another kind of relocation
        changed(data, 18, "<H", 183),  # for ARM
        changed(data, 16, "<H", 3),  # a shared library
        b"MZ" + data[2:],
    ):
        with pytest.raises(elf.Unsupported):
            elf.link(bad, "f", lambda name: 1)
    with pytest.raises(loader.Missing, match="no_such"):
        loader.load_object(data, "f", ["cbrt", "no_such"])
    with pytest.raises(loader.Missing, match="does not export g"):
        loader.load_object(data, "g", undefined)


def test_llvm_takes_over(monkeypatch):
    """No memory may be made to run: the loader falls back to LLVM's."""
    data, undefined = compiled(IR.replace("@f(", "@taken_over("), "taken_over")

    def refuse(region):
        raise elf.Unsupported("no")

    monkeypatch.setattr(elf._Region, "seal", refuse)
    call, address = loader.load_object(data, "taken_over", undefined)
    words = np.zeros(2)
    call(3, 0, words.ctypes.data)
    assert words[0] == 4 and call.keep.__class__.__name__ == "ExecutionEngine"


def test_symbols():
    assert elf.undefined(compiled()[0]) == ["cbrt"]
    assert loader.find("no_such_symbol_anywhere") is None
    libm = ctypes.CDLL("libm.so.6")
    assert loader.find("expf") == ctypes.cast(libm.expf, ctypes.c_void_p).value


def test_the_cpu_is_llvms():
    """What the system says of this CPU is what LLVM says, where our code depends on it."""
    features = llvm.host()[1].split(",")
    for name in ("avx512f", "avx2", "fma"):
        assert machine.has(name) == (f"+{name}" in features)
    assert not machine.has("no_such")
    assert machine.identity() == machine.identity() and machine.identity()
    other = cache.tag(Path("/nowhere"), "x86_64", machine.identity() + "x")
    assert other != cache.tag(Path("/nowhere"), "x86_64", machine.identity())


def test_a_warm_process_loads_no_llvm(tmp_path):
    code = """
import sys, numpy
import numblocks as nb
net = nb.gluon.nn.Dense(3, activation="sigmoid")
net.initialize()
net.hybridize()
x = nb.np.ones((2, 4))
with nb.autograd.record():
    y = net(x)
y.backward()
print(nb.np.tanh(y).shape, sorted({m.split(".")[0] for m in sys.modules} & {"numba", "llvmlite"}))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBLOCKS_CACHE_DIR": str(tmp_path)}
    outs = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert "llvmlite" in outs[0] and outs[1].strip() == "(2, 3) []"


def test_mathematics_is_found_without_llvm():
    assert mathlib.has("exp_f32")
    assert all(loader.find(name) for name in ("pow", "fmodf", "lgamma", "memcpy", "memset", "memmove"))
