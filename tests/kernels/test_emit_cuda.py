"""CUDA kernels without a GPU: texts run by the simulator against the CPU's kernels, and compiled for two GPUs.

The CPU emitter's own cases run once more here, through the simulator; drawn programs are compared with the CPU's
kernel. Where numba-cuda is installed every text is compiled, too, for what it takes of a GPU.
"""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numblocks.kernels import emit_cuda
from numblocks.kernels.cuda import compiler, simulator
from numblocks.kernels.cuda import launch as cuda_launch
from numblocks.kernels.cuda.simulated import SimulatedGpu
from numblocks.kernels.program import CAST, Line, Operand, Program, Reduce, Store
from numblocks.kernels.typed import scalar

spec = importlib.util.spec_from_file_location("cpu_cases", Path(__file__).with_name("test_emit.py"))
cpu = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cpu)
on_cpu = cpu.run
F = "float32"
GPU = SimulatedGpu()
CAPABILITIES = [(8, 0), (9, 0)]


def root(x):
    """The array that owns the memory of `x`."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def raw(x):
    """The bytes of an array that owns its memory, in whatever order they lie."""
    low, high = np.lib.array_utils.byte_bounds(x) if x.size else (0, 0)
    return np.ctypeslib.as_array((np.ctypeslib.ctypes.c_uint8 * (high - low)).from_address(low)) if x.size else x[:0]


def on_gpu(program, sizes, arrays, scalars=(), parts=1, device=GPU):
    """`test_emit.run` on a simulated GPU: arrays that share memory share it there."""
    owners = {id(root(x)): root(x) for x in arrays}
    blocks = {key: device.pool.get(x.nbytes) for key, x in owners.items()}
    for key, x in owners.items():
        device.upload(blocks[key].address, raw(x))
    addresses = [blocks[id(root(x))].address + x.ctypes.data - root(x).ctypes.data for x in arrays]
    strides = [tuple(s // x.itemsize for s in x.strides) for x in arrays]
    cuda_launch.launch(device, program, sizes, addresses, strides, scalars)
    for key, x in owners.items():
        if x.size and x.flags.writeable:
            device.download(raw(x), blocks[key].address)


def ulps(a, b):
    """How many floats lie between, element by element; 0 for NaN and NaN."""
    kind = f"i{a.itemsize}"
    order = lambda x: np.where(x.view(kind) < 0, np.iinfo(kind).min - x.view(kind), x.view(kind)).astype(object)
    apart = np.abs(order(a) - order(b))
    return np.where(np.isnan(a) & np.isnan(b), 0, apart)


# --- the CPU emitter's cases ---

AGAIN = [
    "test_map_of_any_rank_and_size", "test_map_layouts", "test_map_in_place", "test_index_counts_in_c_order",
    "test_integer_arithmetic_wraps_as_numpy", "test_casts", "test_float_specials_follow_numpy",
    "test_mixed_dtypes_in_one_program", "test_bool_lines", "test_every_reduction_of_every_kind",
    "test_extrema_pass_nan_on_at_any_place", "test_softmax_has_three_stages",
    "test_norm_with_parameters_and_saved_statistics", "test_cross_entropy_and_its_gradient_in_one_kernel",
    "test_fused_chain_is_bit_equal_to_its_lines_one_by_one", "test_awkward_names_do_no_harm",
]  # fmt: skip


def again():
    """Each of those tests with each of its parameters."""
    for name in AGAIN:
        function = getattr(cpu, name)
        rows = [{}]
        for mark in getattr(function, "pytestmark", []):
            names = [n.strip() for n in mark.args[0].split(",")]
            values = [v if len(names) > 1 else (v,) for v in mark.args[1]]
            rows = [row | dict(zip(names, v, strict=True)) for row in rows for v in values]
        for row in rows:
            yield pytest.param(name, row, id=f"{name[5:]}-{'-'.join(map(str, row.values()))}")


@pytest.mark.parametrize(("name", "row"), list(again()))
def test_cases_of_the_cpu(name, row, monkeypatch):
    monkeypatch.setattr(cpu, "run", on_gpu)
    before = GPU.launches
    getattr(cpu, name)(**row)
    assert GPU.launches > before or 0 in row.get("sizes", ())


# --- drawn programs ---

EXACT = [cpu.neg, cpu.relu, cpu.add, cpu.sub, cpu.mul, cpu.div, cpu.maximum, cpu.minimum, cpu.sqrt_abs]
INEXACT = [cpu.exp, cpu.log, cpu.tanh, cpu.sigmoid, cpu.gelu]


@st.composite
def chains(draw, dtype, more=()):
    """Lines of exactly rounded arithmetic over `x`, `y`, `s`, and functions of `more`."""
    lines = []
    for k in range(draw(st.integers(1, 5))):
        fn = scalar(draw(st.sampled_from([*EXACT, *more])))
        names = ["x", "y", "s", *(q.name for q in lines[-3:])]
        lines.append(Line(f"t{k}", fn, tuple(draw(st.sampled_from(names)) for _ in range(fn.nargs)), dtype))
    return tuple(lines)


@st.composite
def programs(draw, more=(), reductions=()):
    """A program of any kind and operands for it: `(program, sizes, (x, y, out), scalars)`."""
    axes = draw(st.sampled_from(["mr", "rm", "mrm", "mmr", "r", "rrm"] if reductions else ["m", "mm", "mmm"]))
    dtype = draw(st.sampled_from([F, F, "float64", "float16"]))
    sizes = tuple(draw(st.sampled_from([1, 2, 5] if k < len(axes) - 1 else [1, 3, 40, 131])) for k in range(len(axes)))
    x, y = (draw(cpu.strided(sizes)).astype(dtype, order="K", subok=False) for _ in "xy")
    x, y = (again_strided(a, draw(cpu.strided(sizes))) for a in (x, y))
    lines = draw(chains(dtype, more))
    value, layout = lines[-1].name, "s" * (len(axes) - 1) + "c"
    out = np.zeros(sizes, dtype)
    if reductions:
        how = draw(st.sampled_from(reductions))
        lines += (Reduce("r", how, value, dtype),)
        value, layout = "r", "".join("0" if a == "r" else lay for a, lay in zip(axes, layout, strict=True))
        out = np.zeros([1 if a == "r" else n for a, n in zip(axes, sizes, strict=True)], dtype)
    reads = tuple(Operand(n, dtype, cpu.layout_of(a, sizes)) for n, a in (("x", x), ("y", y)))
    body = (*lines, Store("z", value))
    program = Program(axes, reads, (Operand("z", dtype, layout),), (("s", dtype),), body)
    return program, sizes, (x, y, out), [0.5]


def along(program, sizes, out):
    """The answer's memory, seen along all axes of the program."""
    steps = [0 if axis == "r" else s for axis, s in zip(program.axes, out.strides, strict=True)]
    return np.lib.stride_tricks.as_strided(out, sizes, steps)


def again_strided(a, like):
    """The values of `a` with the strides of `like`."""
    big = np.zeros(root(like).size + 1, a.dtype)
    steps = [s // like.itemsize * a.itemsize for s in like.strides]
    first = (like.ctypes.data - root(like).ctypes.data) // like.itemsize
    view = np.ndarray(a.shape, a.dtype, big, first * a.itemsize, steps)
    view[...] = a
    return view


def both(case):
    """Answers of the simulator and of the CPU's kernel."""
    program, sizes, (x, y, out), scalars = case
    theirs = np.zeros_like(out)
    on_gpu(program, sizes, [x, y, along(program, sizes, out)], scalars)
    on_cpu(program, sizes, [x, y, along(program, sizes, theirs)], scalars)
    return out, theirs


@settings(max_examples=40, deadline=None)
@given(programs())
def test_maps_of_exact_lines_are_equal_bit_for_bit(case):
    found, wanted = both(case)
    assert (ulps(found, wanted) == 0).all()


@pytest.mark.parametrize("dtype", [F, "float64"])
@pytest.mark.parametrize("function", INEXACT, ids=lambda f: f.__name__)
def test_functions_of_math_are_within_ulps_of_the_cpu(function, dtype):
    x = np.concatenate([np.linspace(-9, 9, 101), [0.0, -0.0, 1e-30, np.inf, -np.inf, np.nan, 1e3, -1e3]]).astype(dtype)
    y, z = np.empty_like(x), np.empty_like(x)
    on_gpu(cpu.unary(function, dtype), x.shape, [x, y])
    on_cpu(cpu.unary(function, dtype), x.shape, [x, z])
    scale = np.spacing(np.abs(np.where(np.isfinite(z), z, 1)) + (0.5 if function is cpu.gelu else 0)).astype(dtype)
    same = (y == z) | (np.isnan(y) & np.isnan(z))
    with np.errstate(invalid="ignore"):
        assert (same | (np.abs(y - z) <= 6 * scale)).all(), x[~(same | (np.abs(y - z) <= 6 * scale))]


@settings(max_examples=30, deadline=None)
@given(programs(reductions=("max", "min")))
def test_extrema_are_equal_bit_for_bit(case):
    found, wanted = both(case)
    assert ((found == wanted) | (np.isnan(found) & np.isnan(wanted))).all()


@settings(max_examples=30, deadline=None)
@given(programs(reductions=("sum",)))
def test_sums_are_within_ulps_of_their_magnitudes(case):
    program, sizes, (x, y, out), scalars = case
    found, wanted = both(case)
    # the magnitudes: the same program, of the absolute value
    *lines, total, store = program.body
    size = Line("size", scalar(magnitude), (total.arg,), total.dtype)
    absolute = Program(program.axes, program.reads, program.writes, program.scalars,
                       (*lines, size, Reduce(total.name, "sum", "size", total.dtype), store))  # fmt: skip
    bound = np.zeros_like(found)
    on_cpu(absolute, sizes, [x, y, along(program, sizes, bound)], scalars)
    n = math.prod(size for letter, size in zip(program.axes, sizes, strict=True) if letter == "r")
    eps = np.finfo(found.dtype).eps
    with np.errstate(all="ignore"):
        near = np.abs(found.astype("f8") - wanted.astype("f8")) <= (math.sqrt(n) + 2) * eps * bound.astype("f8")
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted)) | ~np.isfinite(bound)
    assert (near | same).all()


def magnitude(x):
    return abs(x)


def test_wide_indices_give_the_same():
    x = np.arange(6 * 5, dtype=F).reshape(6, 5)
    y = np.empty((3, 5), F)
    program = Program("mm", (Operand("x", F, "sc"),), (Operand("y", F, "sc"),), (), (Store("y", "x"),))
    on_gpu(program, (3, 5), [x[::-2], y])  # a negative stride
    np.testing.assert_array_equal(y, x[::-2])
    assert "int64" in emit_cuda.emit(program, wide=True).text
    assert "int64" not in emit_cuda.emit(program).text


def test_no_name_of_the_text_is_taken():
    body = (
        Line("step", scalar(cpu.add), ("t", "count"), F),
        Line("start", scalar(cpu.gelu), ("step",), F),
        Store("cuda_", "start"),
    )
    reads = (Operand("t", F, "c"), Operand("count", F, "c"))
    program = Program("m", reads, (Operand("cuda_", F, "c"),), (), body)
    x, y, z = np.ones(3, F), np.ones(3, F), np.empty(3, F)
    on_gpu(program, (3,), [x, y, z])
    assert np.allclose(z, 1.9545)


# --- the simulator refuses what a GPU would do silently ---


def launched(text, grid, block, *arrays, device=GPU):
    """Run the kernel `k` of a hand-written text over device copies of `arrays`."""
    blocks = [device.pool.get(x.nbytes) for x in arrays]
    for memory, x in zip(blocks, arrays, strict=True):
        device.upload(memory.address, x)
    device.launch(simulator.load(text, "k"), grid, block, [b.address for b in blocks])
    for memory, x in zip(blocks, arrays, strict=True):
        device.download(x, memory.address)


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        ("x[cuda.grid(1)] = float32(1)", IndexError, r"x\[4\] lies outside"),
        ("x[cuda.grid(1) - 1] = float32(1)", IndexError, r"x\[-1\] lies outside"),
        ("if cuda.threadIdx.x < 2: cuda.syncthreads()", simulator.Divergence, "at its end, in syncthreads"),
        ("x[0] = math.exp(float64(1))", TypeError, "memory of float32 is given"),
        ("x[0] = float32(1) * float64(2)", TypeError, "memory of float32 is given"),
        ("s = cuda.shared.array(4, float32); s[4] = float32(1)", IndexError, "shared memory of shape"),
    ],
)
def test_faults_are_seen(body, error, words):
    with pytest.raises(error, match=words) as caught:
        launched(f"def k(x: pointer(float32)):\n    {body}\n", 1, 8, np.zeros(4, F))
    assert "k, block (0, 0), thread (" in str(caught.value)


def test_unwritten_memory_is_seen():
    x = np.zeros(4, F)
    text = "def k(x: pointer(float32)):\n    s = cuda.shared.array(4, float32)\n    x[cuda.grid(1)] = s[0]\n"
    launched(text, 1, 4, x)
    assert np.isnan(x).all()


def test_shuffles_and_shared_memory():
    text = """
def k(x: pointer(int32)):
    t = cuda.threadIdx.x
    s = cuda.shared.array(64, int32)
    v = cuda.shfl_down_sync(0xffffffff, int32(t), 1)
    s[t] = cuda.shfl_xor_sync(0xffffffff, v, 31)
    cuda.syncthreads()
    x[cuda.grid(1)] = s[63 - t]
"""
    x = np.zeros(128, "int32")
    launched(text, 2, 64, x)
    t = np.arange(64)
    v = np.where(t % 32 == 31, t, t + 1)  # the last lane of a warp keeps its own
    np.testing.assert_array_equal(x, np.tile(v[t ^ 31][::-1], 2))


def test_a_kernel_of_freed_memory_is_seen():
    device = SimulatedGpu()
    block = device.pool.get(16)
    address = block.address
    del block
    device.pool.empty()
    with pytest.raises(IndexError, match="is not in memory"):
        device.upload(address, np.zeros(4, F))


def test_memory_is_kept_for_the_next_who_asks():
    device = SimulatedGpu()
    for _ in range(5):
        device.pool.get(1000)
    assert device.pool.allocations == 1 and device.pool.used == 0
    with pytest.raises(MemoryError, match="cannot be had"):
        device.pool.get(1 << 33)


# --- compiled, where there is a compiler ---

needs_compiler = pytest.mark.skipif(not compiler.available(), reason="numba-cuda is not installed")


def samples():
    """A program of each kind."""
    chain = (Line("t", scalar(cpu.mul), ("x", "s"), F), Line("u", scalar(cpu.gelu), ("t",), F), Store("z", "u"))
    rows = (
        Reduce("m", "max", "x", F),
        Line("d", scalar(cpu.sub), ("x", "m"), F),
        Line("e", scalar(cpu.exp), ("d",), F),
        Reduce("t", "sum", "e", F),
        Line("y", scalar(cpu.div), ("e", "t"), F),
        Store("z", "y"),
    )
    s = (("s", F),)
    return [
        Program("m", (Operand("x", F, "c"),), (Operand("z", F, "c"),), s, chain),
        Program("mmm", (Operand("x", F, "ss0"),), (Operand("z", F, "ssc"),), s, chain),
        Program("mr", (Operand("x", F, "sc"),), (Operand("z", F, "sc"),), (), rows),
        Program("rm", (Operand("x", F, "sc"),), (Operand("z", F, "sc"),), (), rows),
        Program("m", (Operand("x", "float16", "c"),), (Operand("z", "float16", "c"),), (),
                (Line("t", scalar(cpu.tanh), ("x",), "float16"), Store("z", "t"))),
        Program("m", (Operand("x", "bool", "c"),), (Operand("z", "int8", "c"),), (),
                (Line("t", CAST, ("x",), "int8"), Store("z", "t"))),
    ]  # fmt: skip


@needs_compiler
@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"sm_{c[0]}{c[1]}")
@pytest.mark.parametrize("program", samples(), ids=lambda p: p.name()[:-13])
def test_kernels_compile_without_waste(program, capability):
    made = emit_cuda.emit(program)
    found = compiler.report(made.text, made.name, capability)
    assert found.registers <= 40 and not any((found.spilled, found.stack, found.float64, found.divisions64)), found


@needs_compiler
def test_waste_would_be_seen():
    text = "def k(x: pointer(float32), n: int64):\n    i = cuda.grid(1)\n    x[i // n] = x[i] * 0.1\n"
    found = compiler.report(text, "k", (8, 0))
    assert found.float64 > 0 and found.divisions64 > 0


@needs_compiler
def test_cubins_are_kept_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBLOCKS_CACHE_DIR", str(tmp_path))
    made = emit_cuda.emit(samples()[0])
    first = compiler.cubin(made.text, made.name, (8, 0))
    monkeypatch.setattr(compiler, "build", None)  # from now on only the disk
    assert compiler.cubin(made.text, made.name, (8, 0)) == first and first.code[:4] == b"\x7fELF"


@needs_compiler
def test_what_cannot_be_built_says_so():
    with pytest.raises(RuntimeError, match="kernel k cannot be built for sm_80"):
        compiler.build("def k(x: pointer(float32)):\n    x[0] = {}\n", "k", (8, 0))


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBLOCKS_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compiler, "available", lambda: False)
    made = emit_cuda.emit(samples()[0])
    with pytest.raises(RuntimeError, match=r"numblocks\[cuda\]"):
        compiler.cubin(made.text, made.name, (8, 0))
