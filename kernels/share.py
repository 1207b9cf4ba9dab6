"""Kernels as a shared library: object files joined by the C compiler that is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import build


def c_compiler() -> str:
    """The C compiler: $CC, cc, gcc or clang.

    Raises:
        RuntimeError: there is none.
    """
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise RuntimeError(
        "export_compiled: no C compiler is found ($CC, cc, gcc, clang). Kernels are compiled already, but a shared"
        " library is made by a linker. Install one (Debian: apt install gcc), or name it in CC."
    )


def link(kernels, path) -> None:
    """Write a shared library that exports the kernels by name, as `void name(int64_t lo, int64_t hi, int64_t *a)`.

    Args:
        kernels: from `build.load`.
        path: the library's file.

    Raises:
        RuntimeError: there is no C compiler, or it fails; its words follow.
    """
    compiler = c_compiler()
    target = Path(os.path.abspath(path))
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        objects = []
        for kernel in kernels:
            objects.append(Path(folder, f"{kernel.name}.o"))
            objects[-1].write_bytes(build.object_code(kernel))
        if not objects:  # a library all the same: a net of products alone launches no kernel
            objects.append(Path(folder, "none.c"))
            objects[-1].write_text("int numblocks_no_kernels;\n")
        made = Path(folder, target.name)
        done = subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), *map(str, objects), "-lm"],
                              capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            raise RuntimeError(
                f"export_compiled: {compiler} could not link the kernels: {done.stderr.strip()}. Check the compiler."
            )
        os.replace(made, target)
