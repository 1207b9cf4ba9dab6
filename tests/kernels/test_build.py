"""The kernel floor: what is built, kept, loaded, refused and shared, each test in a cache of its own."""
import os
import pickle
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import build, cache, direct, entry, native, prelude, teamwork, workers

ROOT = Path(__file__).parents[2]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache directory; nothing in memory before or after, but for the way into machine code."""
    entry.prepare(build.load)
    monkeypatch.setenv("NUMBLOCKS_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "_warned", set())
    build.clear(disk=False)
    yield tmp_path
    build.clear(disk=False)


def text_of(name, value="x[i] * float32(2)"):
    return prelude.header(f"y = {value}") + f'''def {name}(lo, hi, a):
    """a: x, y, both `(n,)` float32"""
    x = pointer(a[0], float32)
    y = pointer(a[1], float32)
    for i in range(lo, hi):
        y[i] = {value}
'''


def by_numba(name, value="x[i] * float32(2)"):
    """The same through an array, which the direct translator leaves to Numba."""
    return text_of(name, value).replace("x = pointer(a[0], float32)", "x = view(a[0], hi, float32)")


def apply(kernel, x):
    y = np.zeros_like(x)
    args = np.array([x.ctypes.data, y.ctypes.data], np.int64)
    kernel(0, x.size, args.ctypes.data)
    return y


X = np.arange(7, dtype=np.float32)


def counts(before):
    after = build.cache_info()
    return after.builds - before.builds, after.loads - before.loads


def python(code, **env):
    """Run `code` in a fresh interpreter; its standard output."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **env})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_build_then_memory_then_disk(place):
    before = build.cache_info()
    kernel = build.load("double", text_of("double"))
    assert counts(before) == (1, 0)
    np.testing.assert_array_equal(apply(kernel, X), 2 * X)
    assert build.load("double", text_of("double")) is kernel
    assert kernel.path.read_text() == text_of("double") and kernel.path.is_relative_to(place)
    assert kernel.path.with_suffix(".o").is_file()
    build.clear(disk=False)
    again = build.load("double", text_of("double"))
    assert again is not kernel and counts(before) == (1, 1)
    np.testing.assert_array_equal(apply(again, X), 2 * X)
    np.testing.assert_array_equal(apply(kernel, X), 2 * X)      # the old one keeps its code
    assert not list(place.rglob("*.tmp"))


def test_launches_are_counted(place):
    kernel = build.load("double", text_of("double"))
    before = build.cache_info().launches
    apply(kernel, X)
    build.launched(3)
    build.run(kernel, 0, 0, 1)
    assert build.cache_info().launches == before + 5


def test_same_name_other_text_is_another_kernel(place):
    first = build.load("same", text_of("same", "x[i] + float32(1)"))
    second = build.load("same", text_of("same", "x[i] + float32(2)"))
    np.testing.assert_array_equal(apply(first, X), X + 1)
    np.testing.assert_array_equal(apply(second, X), X + 2)
    build.clear(disk=False)                                     # disk holds the second text
    np.testing.assert_array_equal(apply(build.load("same", text_of("same", "x[i] + float32(1)")), X), X + 1)


def test_many_kernels_with_constants_in_memory_live_side_by_side(place):
    values = [f"math.exp(x[i] * float32({k}.25)) + float32({k}.125)" for k in range(12)]
    kernels = [build.load(f"side_{k}", text_of(f"side_{k}", value)) for k, value in enumerate(values)]
    x = np.linspace(-1, 0, 100, dtype=np.float32)
    for k, kernel in enumerate(kernels):
        np.testing.assert_allclose(apply(kernel, x), np.exp(x * (k + 0.25)) + (k + 0.125), rtol=1e-5)


def test_kernel_survives_pickle(place):
    kernel = build.load("double", text_of("double"))
    assert pickle.loads(pickle.dumps(kernel)) is kernel


def test_clear_and_report(place):
    (place / "mine.txt").write_text("keep")
    build.load("double", text_of("double"))
    assert "double" in build.report() and "1 kernels" in build.report()
    assert build.cache_info().kernels == 1 and build.cache_info().directory == place
    build.clear()
    assert build.cache_info().kernels == 0
    assert [path.name for path in place.rglob("*")] == ["mine.txt"]
    np.testing.assert_array_equal(apply(build.load("double", text_of("double")), X), 2 * X)


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:100], lambda data: data[:-1], lambda data: b"\0" * len(data),
    lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], lambda data: data + b"more"],
    ids=["empty", "short", "last byte", "zeros", "one bit", "longer"])
def test_damaged_object_is_built_again_with_one_warning(place, damage):
    path = build.load("double", text_of("double")).path.with_suffix(".o")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    build.clear(disk=False)
    before = build.cache_info()
    with pytest.warns(RuntimeWarning, match="built again"):
        kernel = build.load("double", text_of("double"))
    assert counts(before) == (1, 0)
    np.testing.assert_array_equal(apply(kernel, X), 2 * X)
    assert cache.unseal(kernel.text, path.read_bytes())
    path.write_bytes(damage(whole))
    build.clear(disk=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build.load("double", text_of("double"))                 # not said twice


@settings(deadline=None, max_examples=50)
@given(data=st.binary(max_size=300), cut=st.integers(0, 400))
def test_seal_never_lets_a_changed_file_through(data, cut):
    sealed = cache.seal("text", data, ["expf"])
    assert cache.unseal("text", sealed) == (data, ["expf"])
    assert cache.unseal("other", sealed) is None
    if cut < len(sealed):
        with pytest.raises(cache.Damaged):
            cache.unseal("text", sealed[:cut])


def test_object_that_needs_a_missing_symbol_is_not_loaded(place):
    kernel = build.load("double", text_of("double"))
    path = kernel.path.with_suffix(".o")
    data, _ = cache.unseal(kernel.text, path.read_bytes())
    path.write_bytes(cache.seal(kernel.text, data, ["no_such_symbol"]))
    build.clear(disk=False)
    with pytest.warns(RuntimeWarning, match="no_such_symbol"):
        build.load("double", text_of("double"))


def test_warm_process_imports_no_numba(place):
    code = f"""
import sys, numpy as np
from numblocks.kernels import build
assert "llvmlite" not in sys.modules
kernel = build.load("double", {text_of("double", "math.exp(x[i])")!r})
x = np.arange(7, dtype=np.float32); y = np.zeros_like(x)
args = np.array([x.ctypes.data, y.ctypes.data])
kernel(0, 7, args.ctypes.data)
assert np.allclose(y, np.exp(x)), y
print("numba" in sys.modules, build.cache_info()[:3])
"""
    first, second = python(code), python(code)  # the way into machine code is a kernel, too
    assert first.strip().endswith("(2, 0, 1)") and second.strip() == "False (0, 2, 1)"


def test_processes_that_build_the_same_kernel_at_once(place):
    code = f"""
from numblocks.kernels import build
import numpy as np
for k in range(4):
    name = f"many_{{k}}"
    kernel = build.load(name, {text_of("NAME")!r}.replace("NAME", name))
    x = np.arange(7, dtype=np.float32); y = np.zeros_like(x)
    args = np.array([x.ctypes.data, y.ctypes.data])
    kernel(0, 7, args.ctypes.data)
    assert (y == 2 * x).all()
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", code], cwd=ROOT, env=env,
                                stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for process in started:
        _, trouble = process.communicate()
        assert process.returncode == 0, trouble
    assert len(list(place.rglob("many_*.o"))) == 4 and not list(place.rglob("*.tmp"))


def test_threads_that_build_at_once(place):
    before = build.cache_info()
    found = []
    def work():
        found.append(build.load("double", text_of("double")))
    started = [threading.Thread(target=work) for _ in range(6)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert len(set(map(id, found))) == 1 and counts(before) == (1, 0)


def test_unusable_directory_falls_back_with_one_warning(place, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setattr(cache, "_chosen", {})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setenv("NUMBLOCKS_CACHE_DIR", str(blocked / "below"))
    with pytest.warns(RuntimeWarning, match="NUMBLOCKS_CACHE_DIR"):
        assert build.directory() == tmp_path / "xdg" / "numblocks"


def test_no_home_means_a_private_temporary_directory(place, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_chosen", {})
    monkeypatch.delenv("NUMBLOCKS_CACHE_DIR")
    monkeypatch.setattr(cache, "_platform_directory", lambda: Path("/dev/null/cache"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    found = build.directory()
    assert found.parent == tmp_path
    if os.name == "posix":
        assert stat.S_IMODE(found.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_temporary_directory_open_to_others_is_not_trusted(place, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_chosen", {})
    monkeypatch.delenv("NUMBLOCKS_CACHE_DIR")
    monkeypatch.setattr(cache, "_platform_directory", lambda: Path("/dev/null/cache"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    trap = cache._temporary_directory()
    trap.mkdir()
    trap.chmod(0o777)
    assert build.directory() != trap and build.directory().parent == tmp_path


def test_nowhere_to_write_means_memory_only(place, monkeypatch):
    monkeypatch.setattr(cache, "directory", lambda: None)
    monkeypatch.setattr(build, "directory", lambda: None)
    kernel = build.load("double", text_of("double"))
    np.testing.assert_array_equal(apply(kernel, X), 2 * X)
    assert kernel.path is None and build.load("double", text_of("double")) is kernel
    assert "memory" in build.report()
    build.clear()


def test_disk_that_takes_nothing_warns_once(place, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(cache, "write", full)
    with pytest.warns(RuntimeWarning, match="No space left") as caught:
        kernel = build.load("double", text_of("double"))
        build.load("triple", text_of("triple", "x[i] * float32(3)"))
    np.testing.assert_array_equal(apply(kernel, X), 2 * X)
    assert len(caught) == 1 and kernel.path is None


def test_never_inside_site_packages(place, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "_chosen", {})
    monkeypatch.setenv("NUMBLOCKS_CACHE_DIR", str(tmp_path / "site-packages" / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="site-packages"):
        assert "site-packages" not in build.directory().parts


@pytest.mark.parametrize("body, reason", [
    ("y[i] = math.gamma(x[i])", "numba_gamma"),
    ("y[i] = x[i] + nowhere", "nowhere"),
    ("y[i] = x[i] + 'a'", "unicode_type|operator|No implementation|Invalid use"),
    ("raise ValueError('no')", "exception"),
    ("y[i] = stack(i, float32)[0]", "literal"),
    ("y[i] = (", "never closed|invalid syntax"),
])
def test_refusals_name_the_file_and_chain_the_cause(place, body, reason):
    text = text_of("bad").replace("y[i] = x[i] * float32(2)", body)
    with pytest.raises(RuntimeError, match=reason) as caught:
        build.load("bad", text)
    message = str(caught.value)
    assert str(place) in message and "bad.py" in message and len(message.splitlines()) == 1
    assert caught.value.__cause__ is not None
    assert not list(place.rglob("*.o")) and build.cache_info().kernels == 0


def test_text_without_the_function(place):
    with pytest.raises(RuntimeError, match="does not define other"):
        build.load("other", text_of("double"))


def test_numba_missing_says_so(place):
    build.load("double", text_of("double"))
    out = python(f"""
import sys
sys.modules["numba"] = None
from numblocks.kernels import build
build.load("double", {text_of("double")!r})               # is in the cache: needs no numba
try:
    build.load("triple", {by_numba("triple", "x[i] * float32(3)")!r})
except RuntimeError as error:
    print(error)
build.load("quadruple", {text_of("quadruple", "x[i] * float32(4)")!r})
""")
    assert "kernel triple" in out and "numba is not installed" in out


def test_compiler_switched_off_runs_the_text_itself(place):
    out = python(f"""
import sys
import numpy as np
from numblocks.kernels import build
kernel = build.load("double", {text_of("double")!r}, {{"x": "train.py:12"}})
seen = set()
sys.settrace(lambda frame, event, arg: seen.add(frame.f_code.co_filename))
x, y = np.arange(3, dtype=np.float32), np.zeros(3, np.float32)
build.run(kernel, 3, np.array([x.ctypes.data, y.ctypes.data]).ctypes.data, 1)
sys.settrace(None)
print(y.tolist(), kernel.address, str(kernel.path) in seen, "numba" in sys.modules)
""", NUMBA_DISABLE_JIT="1")
    assert out.strip() == "[0.0, 2.0, 4.0] None True False"


def test_the_file_names_the_users_lines_and_the_key_does_not(place):
    text = prelude.header("twice") + """def twice(lo, hi, a):
    for i in range(lo, hi):
        t0 = pointer(a[0], float32)[i]
        t1 = t0 * float32(2)
        pointer(a[1], float32)[i] = t1
"""
    kernel = build.load("twice", text, {"t1": "train.py:12", "t7": "other.py:1"})
    shown = kernel.path.read_text()
    assert "t1 = t0 * float32(2)  # train.py:12\n" in shown and "other" not in shown
    assert kernel.text == text and [line.split("  #")[0] for line in shown.splitlines()[9:]] == text.splitlines()[9:]
    builds = build.cache_info().builds
    assert build.load("twice", text, {"t1": "elsewhere.py:3"}) is kernel
    build.clear(disk=False)
    np.testing.assert_array_equal(apply(build.load("twice", text, {"t1": "elsewhere.py:3"}), X), 2 * X)
    assert build.cache_info().builds == builds and kernel.path.read_text() == shown


@pytest.mark.parametrize("value", [
    "x[i] * float32(2)", "x[i] if i % 2 == 0 or x[i] > 2 else -x[i]", "float32(i // 3 - (i - 9) // 4)",
    "x[max(i - 1, 0)] / 2.0", "float32(0 <= i < 3 and not i == 1)", "float32(int32(x[i] * 2.5) % -3)",
    "x[i] * math.pi", "x[-(-i)]",
])
def test_direct_translation_agrees_with_numba(place, value, monkeypatch):
    one = apply(build.load("one", text_of("one", value)), X)
    monkeypatch.setattr(direct, "compile_object", lambda *args: (_ for _ in ()).throw(direct.Unsupported))
    np.testing.assert_array_equal(one, apply(build.load("other", text_of("other", value)), X))


def test_direct_translation_of_control_flow(place):
    text = prelude.header("loops") + '''

def first_below(x, n, bound):
    for i in range(n):
        if x[i] < bound:
            return i
    return -1


def loops(lo, hi, a):
    x, y = pointer(a[0], float32), pointer(a[1], float32)
    for i in range(hi - 1, lo - 1, -1):
        if i == 5:
            continue
        k, total = 0, 0.0
        while True:
            total += x[k]
            k += 1
            if k > i:
                break
        y[i] = total + first_below(x, hi, i)
'''
    plain = {}
    exec(text, plain)
    x = np.array([4, 3, 2, 1, 0, 7, 9], np.float32)
    want = np.zeros_like(x)
    plain["loops"](0, x.size, np.array([x.ctypes.data, want.ctypes.data]))
    code = f"from numblocks.kernels import build; build.load('loops', {text!r})"
    assert python(f"import sys; {code}; print('numba' in sys.modules)").strip() == "False"
    np.testing.assert_array_equal(apply(build.load("loops", text), x), want)


def test_decorated_text_works_too(place):
    text = text_of("own").replace("def own", "@njit(error_model='numpy')\ndef own").replace(
        "import math\n", "import math\nfrom numba import njit\n")
    np.testing.assert_array_equal(apply(build.load("own", text), X), 2 * X)


PIECES = prelude.header("every name of the prelude") + '''SIZE = 4


def halve(x):
    return x * float32(0.5)


def pieces(lo, hi, a):
    """a: x `(n, 2)` float32, out float64, n, a float64 as bits, half `(1,)` uint16, flags `(2,)` bool"""
    x = view(a[0], (a[2], 2), float32)
    out = pointer(a[1], float64)
    row = stack(SIZE, float64)
    for k in range(SIZE):
        row[k] = 0.0
    for i in range(lo, hi):
        for j in range(2):
            row[j] += halve(x[i, j])
    h = view(a[4], 1, uint16)
    flags = view(a[5], 2, uint8)
    flags[1] = uint8(flags[0] == 0)
    out[0] = row[0]
    out[1] = row[1]
    out[2] = bits_to_float(a[3])
    out[3] = bits_to_float(float_to_bits(out[2]))
    out[4] = bits_to_float32(float32_to_bits(float32(0.1)) + int32(1))
    out[5] = half_to_float(h[0])
    h[0] = float_to_half(float32(0.1))
    out[6] = row[3] + len(x) + x.shape[1]
'''


def test_prelude_compiled_and_as_plain_python_agree(place):
    def outcome(function):
        x = np.arange(12, dtype=np.float32).reshape(6, 2)
        out, half = np.zeros(7), np.array([0x3E00], np.uint16)
        flags = np.array([False, False])
        bits = np.array([2.25]).view(np.int64)[0]
        args = np.array([x.ctypes.data, out.ctypes.data, 6, bits, half.ctypes.data, flags.ctypes.data])
        function(args)
        return out, half, flags
    kernel = build.load("pieces", PIECES)
    plain = {}
    exec(PIECES, plain)
    fast = outcome(lambda args: kernel(0, 6, args.ctypes.data))
    slow = outcome(lambda args: plain["pieces"](0, 6, args))
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_array_equal(one, other)
    out, half, flags = fast
    np.testing.assert_array_equal(out[:4], [15, 18, 2.25, 2.25])
    assert out[4] == np.nextafter(np.float32(0.1), np.float32(1)) and out[5] == 1.5 and out[6] == 8
    assert half[0] == np.float16(0.1).view(np.uint16) and flags[1]


@settings(deadline=None, max_examples=30)
@given(st.floats(width=64, allow_nan=False), st.integers(0, 2**16 - 1))
def test_bit_casts_are_inverse(value, bits):
    assert prelude.bits_to_float(prelude.float_to_bits(value)) == value
    half = np.uint16(bits)
    if not np.isnan(half.view(np.float16)):
        assert prelude.float_to_half(prelude.half_to_float(half)) == half


def test_nan_and_infinity_pass_under_contract(place):
    text = text_of("free", "twice(x[i])").replace(
        "def free", '@fast("contract")\ndef twice(x):\n    return x * x + x\n\n\ndef free')
    x = np.array([np.nan, np.inf, -np.inf, 1], np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(apply(build.load("free", text), x), x * x + x)


def test_fastmath_constant_reaches_the_code(place):
    body = prelude.header("sum") + '''{flags}

def {name}(lo, hi, a):
    x = pointer(a[0], float32)
    s = float32(0)
    for i in range(lo, hi):
        s += x[i]
    pointer(a[1], float32)[0] = s
'''
    exact = build.load("exact", body.format(name="exact", flags=""))
    loose = build.load("loose", body.format(name="loose", flags='FASTMATH = {"reassoc"}'))
    x = np.random.default_rng(0).random(1 << 12, np.float32)
    a, b = apply(exact, x)[0], apply(loose, x)[0]
    assert a == np.cumsum(x)[-1]                               # one after the other
    assert a != b and abs(a - b) < 1e-3 * a


def test_integer_division_by_zero_does_not_raise(place):
    text = text_of("div", "float32(int64(x[i]) // a[2])")
    kernel = build.load("div", text)
    y = np.zeros_like(X)
    args = np.array([X.ctypes.data, y.ctypes.data, 0], np.int64)
    kernel(0, X.size, args.ctypes.data)


@pytest.fixture
def many():
    old = build.threads()
    build.set_threads(3)
    yield
    build.set_threads(old)


@settings(deadline=None, max_examples=40)
@given(n=st.integers(0, 3000), grain=st.integers(1, 1500))
def test_run_covers_the_range_once(n, grain):
    kernel = build.load("count", text_of("count", "y[i] + float32(1)"))
    y = np.zeros(n + 1, np.float32)
    args = np.array([y.ctypes.data, y.ctypes.data])
    old = build.threads()
    build.set_threads(3)
    try:
        build.run(kernel, n, args.ctypes.data, grain)
        found = workers.shared(kernel.address, args.ctypes.data, n, grain, build.load)
    finally:
        build.set_threads(old)
    np.testing.assert_array_equal(y, [1] * n + [0])
    assert (found is not None) == (n >= 2 * grain)


def test_a_table_keeps_workers_awake(place, many):
    """Between two shared rows of a table lies a serial one; all see what the one before has written."""
    kernel = build.load("increment", text_of("increment", "y[i] + x[i]"))
    x, y = np.ones(90_000, np.float32), np.zeros(90_000, np.float32)
    args, words, keep = np.array([x.ctypes.data, y.ctypes.data]), [], []
    address, shared = workers.shared(kernel.address, args.ctypes.data, x.size, 1000, build.load)
    words = np.array(shared)
    row = (address, 0, 1, words.ctypes.data)
    table = native.table([row, (kernel.address, 0, x.size, args.ctypes.data), row], True, False, keep)
    for _ in range(30):
        workers.wake()
        native.sequence()(0, len(table), table.ctypes.data)
    assert (y == 90).all() and workers._team[teamwork.EXPECT] == 0 == workers._team[teamwork.INSIDE]


def test_run_with_threads_equals_serial(place, many):
    kernel = build.load("increment", text_of("increment", "y[i] + x[i]"))
    x = np.random.default_rng(1).random(100_000, np.float32)
    y = np.zeros_like(x)
    args = np.array([x.ctypes.data, y.ctypes.data])
    for _ in range(20):
        build.run(kernel, x.size, args.ctypes.data, 100)
    expected = np.zeros_like(x)
    for _ in range(20):
        expected += x
    np.testing.assert_array_equal(y, expected)


def test_run_from_several_threads_at_once(place, many):
    kernel = build.load("increment", text_of("increment", "y[i] + x[i]"))
    results = []
    def work():
        x = np.ones(50_000, np.float32)
        y = np.zeros_like(x)
        args = np.array([x.ctypes.data, y.ctypes.data])
        for _ in range(50):
            build.run(kernel, x.size, args.ctypes.data, 1000)
        results.append((y == 50).all())
    started = [threading.Thread(target=work) for _ in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert results == [True] * 4


def test_set_threads_wants_one_or_more():
    with pytest.raises(ValueError, match="set_threads"):
        build.set_threads(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_child_is_serial_and_can_build(place):
    out = python(f"""
import os, sys, numpy as np
from numblocks.kernels import build, workers
build.set_threads(2)
def go(name):
    kernel = build.load(name, {text_of("NAME")!r}.replace("NAME", name))
    x = np.arange(5000, dtype=np.float32); y = np.zeros_like(x)
    args = np.array([x.ctypes.data, y.ctypes.data])
    build.run(kernel, 5000, args.ctypes.data, 10)
    return bool((y == 2 * x).all())
assert go("before") and workers._started == 1
child = os.fork()
if child == 0:
    good = go("before") and go("after") and build.threads() == 1 and workers._started == 0
    build.set_threads(2)
    os._exit(0 if good and go("before") and workers._started == 1 else 1)
print(os.waitpid(child, 0)[1], go("before"))
""")
    assert out.split() == ["0", "True"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="cc on Linux")
def test_objects_link_into_a_shared_library(place, tmp_path):
    import ctypes
    import shutil
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    kernel = build.load("double", text_of("double", "math.exp(x[i])"))
    library = tmp_path / "kernels.so"
    subprocess.run(["cc", "-shared", "-o", library, kernel.path.with_suffix(".o"), "-lm"], check=True)
    call = ctypes.CDLL(str(library)).double
    call.argtypes, call.restype = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p], None
    np.testing.assert_array_equal(
        apply(call, X), apply(kernel, X))
