"""Compile the CUDA kernels of all elementwise ops and reductions and the hand-written ones, with no GPU.

    python -m bench.cuda_compile            # needs numba-cuda; writes bench/results/cuda_compile_<date>.json

Each op as a map over contiguous arrays and over a strided and a broadcast operand, in float32 (in the other dtypes:
one op of each kind), for sm_80 and sm_90. A kernel is at fault when it spills, keeps a stack of its own making,
computes in float64 without a float64 operand, or divides 64-bit integers to find its indices. libdevice's float32 sine,
cosine and tangent hold one float64 product for angles beyond 10**5 (and what calls them, gamma, too): three
instructions a call, which are told apart.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
from pathlib import Path

from numblocks.kernels import emit_cuda
from numblocks.kernels.cuda import compiler, gather, launch, products, threads
from numblocks.kernels.program import CAST, Line, Operand, Program, Reduce, Store
from numblocks.kernels.scalars import scalar
from numblocks.op import REGISTRY

CAPABILITIES = ((8, 0), (9, 0))
ANGLES = {"sin": 3, "cos": 3, "tan": 3, "gamma": 3, "gammaln": 3, "digamma": 6,
          "normal01": 3}  # float64 instructions of libdevice


def program_of(op, dtype: str, axes: str) -> Program:
    """The map of one op: contiguous along 'm'; along 'mm' the first operand strided, the others broadcast."""
    out = "bool" if op.result == "bool" else dtype
    names = [f"x{k}" for k in range(op.nin)]
    layouts = ["c"] * op.nin if axes == "m" else ["ss", "0c", "s0"][: op.nin]
    given = ["bool" if op.result == "where" and k == 0 else dtype for k in range(op.nin)]
    reads = tuple(map(Operand, names, given, layouts))
    body = (Line("t", scalar(op.scalar), tuple(names), out), Store("y", "t"))
    return Program(axes, reads, (Operand("y", out, axes.replace("mm", "sc").replace("m", "c")),), (), body)


def programs():
    """`(label, program)` of everything that is compiled."""
    for name, op in sorted(REGISTRY.items()):
        if op.kind == "elementwise" and op.scalar is not None:
            dtype = "float32" if defined(op, "float32") else "int64"
            for axes in ("m", "mm"):
                yield f"{name} {dtype} {axes}", program_of(op, dtype, axes)
    for dtype in ("float64", "float16", "int8", "uint8", "int32", "int64", "uint64"):
        yield f"add {dtype} m", program_of(REGISTRY["add"], dtype, "m")
    for dtype in ("float64", "float16"):
        yield f"gelu {dtype} m", program_of(REGISTRY["gelu"], dtype, "m")
    for source, target in (("float32", "int8"), ("int64", "float32"), ("bool", "float16"), ("float64", "bool")):
        body = (Line("t", CAST, ("x",), target), Store("y", "t"))
        yield f"cast {source}-{target} m", Program("m", (Operand("x", source, "c"),), (Operand("y", target, "c"),), (), body)  # fmt: skip # noqa: E501
    for name, op in sorted(REGISTRY.items()):
        if op.kind == "reduce" and op.result in ("sum", "prod", "max", "min"):
            for axes, layouts in (("mr", ("sc", "c0")), ("rm", ("sc", "0c")), ("mrm", ("ssc", "s0c"))):
                for dtype in ("float32", "float64", "int64"):
                    body = (Reduce("t", op.result, "x", dtype), Store("y", "t"))
                    yield f"{name} {dtype} {axes}", Program(
                        axes, (Operand("x", dtype, layouts[0]),), (Operand("y", dtype, layouts[1]),), (), body
                    )


def row_sum(i, y, x, rows, n, m):
    """What a custom loop does on a GPU."""
    total = 0.0
    for j in range(m):
        total = total + x[i * m + j]
    y[i] = 0.5 * total


def texts():
    """`(label, text)` of everything that is compiled, and of what has no form on a GPU the reason."""
    for label, program in programs():
        try:
            yield label, emit_cuda.emit(program)
        except TypeError as error:
            yield label, str(error)
    for dtype in ("float32", "float64", "float16", "int64"):
        body = (Reduce("t", "sum", "x", dtype), Store("y", "t"))
        row = Program("mr", (Operand("x", dtype, "sc"),), (Operand("y", dtype, "c0"),), (), body)
        yield f"shared sum {dtype} mr", emit_cuda.emit(row, split=True)
    for dtype in ("float32", "float64", "float16", "int32", "int64"):
        yield f"matmul {dtype}", products.emit(dtype, 16, False)
        yield f"take {dtype}", gather.emit("take", dtype, False)
        yield f"add at rows {dtype}", gather.emit("add", dtype, False)
    for name in ("uniform01", "normal01"):
        for dtype in ("float32", "float64"):
            yield f"{name} {dtype}", emit_cuda.emit(launch.numbers(REGISTRY[name].lines, dtype))
    yield "custom loop float32", threads.emit(scalar(row_sum).source, ("float32", "float32"), (1, 2))


def defined(op, dtype: str) -> bool:
    """Whether the op has a kernel for floats."""
    try:
        emit_cuda.emit(program_of(op, dtype, "m"))
    except TypeError:
        return False
    return True


def faults(label: str, found: compiler.Report) -> list[str]:
    """What should not be there."""
    wide = "float64" in label or found.float64 == ANGLES.get(label.split()[0])
    return [
        what
        for what, there in (
            ("spills", found.spilled),
            ("float64", found.float64 and not wide),
            ("64-bit division", found.divisions64 and "int64" not in label and "uint64" not in label),
        )
        if there
    ]


def main() -> int:
    """Compile all, write the report, name what is at fault."""
    start, kernels, bad, absent = time.perf_counter(), {}, [], {}
    for label, made in texts():
        if isinstance(made, str):
            absent[label] = made
            continue
        for capability in CAPABILITIES:
            found = compiler.report(made.text, made.name, capability)
            kernels[f"{label} sm_{capability[0]}{capability[1]}"] = found._asdict()
            bad += [f"{label} sm_{capability[0]}{capability[1]}: {what}" for what in faults(label, found)]
    date = datetime.date.today().isoformat()
    path = Path(__file__).parent / "results" / f"cuda_compile_{date}.json"
    facts = {
        "date": date, "executed on a GPU": False, "versions": compiler.versions(), "count": len(kernels),
        "seconds": round(time.perf_counter() - start, 1), "at fault": bad, "no form on a GPU": absent,
        "float64 inside libdevice": sorted(ANGLES),
        "kernels": kernels,
    }  # fmt: skip
    rows = json.dumps(facts, indent=1)
    path.write_text(rows + "\n")
    most = max(kernels, key=lambda k: kernels[k]["registers"])
    print(f"{len(kernels)} kernels in {facts['seconds']} s; most registers: {kernels[most]['registers']} ({most})")
    print("\n".join(bad) or "none at fault", "" if not absent else f"\nno form on a GPU: {absent}", f"\n{path}")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
