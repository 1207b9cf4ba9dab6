"""Kernel text -> cubin, on any machine: the one module that knows numba-cuda, whose compiler is all that is used.

numba-cuda is in maintenance; what takes its place must offer what the block of imports names: a function that
compiles a Python function for argument types to LTO-IR, the types, and the names `cuda` and `libdevice` for the text.
A finished cubin lies on disk under the sha256 of its text and everything else it depends on, so a process whose
kernels are there imports none of this (`cubin`). No GPU and no driver is needed to compile.

    pip install "numba-cuda[cu13]" "cuda-toolkit==13.0.*"      # the toolkit no newer than the driver
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import linecache
import math
import re
from types import SimpleNamespace
from typing import NamedTuple

from .. import cache
from .simulator import DTYPES, Signature

PACKAGES = ("numba-cuda", "cuda-core")  # whose versions decide what a text becomes
TOOLS = ("nvidia-nvvm", "nvidia-nvjitlink", "nvidia-cuda-nvrtc")

__all__ = ["Cubin", "Report", "available", "cubin", "report", "versions"]


class Cubin(NamedTuple):
    """Machine code for one compute capability, and the symbol of its kernel."""

    code: bytes
    entry: str


class Report(NamedTuple):
    """What a kernel takes, as the assembler and the PTX tell it.

    Attributes:
        registers: a thread's.
        spilled: bytes of registers that went to memory.
        stack: bytes of a thread's stack.
        shared: bytes of a block's static shared memory.
        float64: instructions on float64.
        divisions64: 64-bit integer divisions and remainders.
    """

    registers: int
    spilled: int
    stack: int
    shared: int
    float64: int
    divisions64: int


def available() -> bool:
    """Whether there is a compiler; nothing is imported."""
    return all(importlib.util.find_spec(name) is not None for name in ("numba_cuda", "cuda"))


def versions() -> dict[str, str]:
    """Versions of all that takes part."""
    found = {}
    for name in (*PACKAGES, *TOOLS, "numba", "cuda-toolkit"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def cubin(text: str, name: str, capability: tuple[int, int]) -> Cubin:
    """The kernel `name` of `text` for a compute capability such as `(9, 0)`: from disk, else compiled and kept.

    Raises:
        RuntimeError: it is not on disk and there is no compiler, or the text cannot be compiled.
    """
    path = _path(text, name, capability)
    if path is not None:
        try:
            sealed = path.read_bytes()
            data, symbols = cache.unseal(text, sealed) or (None, [])
            if data is not None:
                return Cubin(data, symbols[0])
        except FileNotFoundError:
            pass
        except (OSError, cache.Damaged) as error:
            cache.warn(f"{path} is set aside and built again: {error}")
    found, _, _ = build(text, name, capability)
    if path is not None:
        try:
            cache.write(path.with_suffix(".py"), text.encode())
            cache.write(path, cache.seal(text, found.code, [found.entry]))
        except OSError as error:
            cache.warn(f"nothing can be written to {path.parent}: {error}")
    return found


def _path(text, name, capability):
    place = cache.directory()
    if place is None:
        return None
    known = [f"{package}={_version(package)}" for package in (*PACKAGES, *TOOLS)]
    key = hashlib.sha256("\0".join([text, name, *known]).encode()).hexdigest()
    return place / f"cuda-sm_{capability[0]}{capability[1]}" / f"{name}_{key[:12]}.cubin"


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _tools() -> SimpleNamespace:
    """The compiler. Everything numba-cuda is called by is here."""
    if not available():
        raise RuntimeError(
            'CUDA kernels cannot be compiled: numba-cuda is not installed. Install "numblocks[cuda]", or fill the cache'
            f" ({cache.directory()}) on a machine that has it."
        )
    cuda = importlib.import_module("numba.cuda")
    types = importlib.import_module("numba.cuda.types")
    return SimpleNamespace(
        cuda=cuda,
        types=types,
        libdevice=importlib.import_module("numba.cuda.libdevice"),
        core=importlib.import_module("cuda.core"),
        ltoir=lambda f, args, cc: cuda.compile_all(f, args, device=False, abi="numba", cc=cc, output="ltoir")[0],
        ptx=lambda f, args, cc: cuda.compile_ptx(f, args, device=False, cc=cc)[0],
    )


def function(text: str, name: str, tools) -> tuple:
    """The Python function of a text and the types of its parameters."""
    shown = f"<numblocks {name}>"
    linecache.cache[shown] = (len(text), None, text.splitlines(True), shown)
    namespace = {dtype: getattr(tools.types, dtype) for dtype in DTYPES}
    namespace |= {"cuda": tools.cuda, "math": math, "libdevice": tools.libdevice, "pointer": tools.types.CPointer}
    exec(compile(text, shown, "exec"), namespace)
    python = namespace[name]
    types = []
    for parameter, dtype, pointed in Signature.of(text, name).parameters:
        one = getattr(tools.types, dtype)
        types.append(tools.types.CPointer(one) if pointed else one)
        del python.__annotations__[parameter]
    return python, tuple(types)


def build(text: str, name: str, capability: tuple[int, int]) -> tuple[Cubin, str, str]:
    """Compile now. Returns the cubin, the linker's log and the symbol's name."""
    tools = _tools()
    try:
        python, types = function(text, name, tools)
        parts = tools.ltoir(python, types, capability)
        code = tools.core.ObjectCode
        objects = [part if isinstance(part, code) else code.from_ltoir(part) for part in parts]
        options = tools.core.LinkerOptions(
            arch=f"sm_{capability[0]}{capability[1]}", link_time_optimization=True, ptxas_options=["-v"]
        )
        linker = tools.core.Linker(*objects, options=options)
        data = bytes(linker.link("cubin").code)
        log = linker.get_info_log() or ""
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise RuntimeError(
            f"kernel {name} cannot be built for sm_{capability[0]}{capability[1]}: {first}. The compiler's own words"
            " are chained."
        ) from error
    entry = re.search(r"Compiling entry function '(\S+)'", log).group(1)
    return Cubin(data, entry), log, entry


def report(text: str, name: str, capability: tuple[int, int]) -> Report:
    """Compile, and count what should not be there."""
    _, log, _ = build(text, name, capability)
    tools = _tools()
    python, types = function(text, name, tools)
    ptx = tools.ptx(python, types, capability)
    number = lambda pattern: sum(int(n) for n in re.findall(pattern, log))
    return Report(
        registers=number(r"Used (\d+) registers"),
        spilled=number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads"),
        stack=number(r"(\d+) bytes stack frame"),
        shared=number(r"(\d+) bytes smem"),
        float64=len(re.findall(r"^\s*(?:@\S+\s+)?[\w.]+\.f64\b", ptx, re.M)),
        divisions64=len(re.findall(r"\b(?:div|rem)\.[su]64\b", ptx)),
    )


def summary(reports: dict[str, Report]) -> str:
    """Reports as JSON, one kernel a line."""
    return json.dumps({name: found._asdict() for name, found in reports.items()}, indent=1)
