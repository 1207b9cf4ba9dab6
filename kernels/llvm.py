"""LLVM through llvmlite: the target that kernels are built for, and its loader for objects that `elf` does not know."""
import sys

import llvmlite.binding as llvm

_engines: list = []        # the engine that takes the next object, if any
_names: set[str] = set()   # symbols it holds already


def host() -> tuple[str, str]:
    """Name and feature string of this CPU, which object code is bound to."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def host_machine(shared: bool = False):
    """A new LLVM target machine for this CPU, at full optimization; `shared`: for objects that a linker joins."""
    _start()
    cpu, features = host()
    target = llvm.Target.from_default_triple()
    if shared:
        return target.create_target_machine(cpu=cpu, features=features, opt=3, reloc="pic", codemodel="default")
    # absolute addresses on x86, as Numba has it: objects with a .got cannot share an engine (see load_object)
    known = {"x86": "static", "ppc": "pic"}
    reloc = known.get(target.name[:3], "default")
    return target.create_target_machine(
        cpu=cpu, features=features, opt=3, reloc=reloc, codemodel="jitdefault", jit=True)


def load(data: bytes, symbol: str, needed: dict[str, int]) -> tuple[int, object]:
    """The address of a function of an object file, and the engine it lives in.

    Args:
        needed: addresses of the symbols it leaves undefined. LLVM ends the process when one is missing.
    """
    _start()
    for name, address in needed.items():
        llvm.add_symbol(name, address)
    # LLVM reckons offsets from the first .got of an engine also for later objects that have one of their own:
    # two such objects must not meet in one engine (wrong addresses, then a crash)
    if not _engines or symbol in _names or b"_GLOBAL_OFFSET_TABLE_" in data:
        forget()
        machine = llvm.Target.from_default_triple().create_target_machine(opt=3, jit=True)
        _engines.append(llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine))
    engine = _engines[0]
    _names.add(symbol)
    engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    return engine.get_function_address(symbol), engine


def address_of(symbol: str) -> int | None:
    """Where LLVM finds a symbol in this process."""
    _start()
    return llvm.address_of_symbol(symbol)


def forget() -> None:
    """Let the next object start a new engine; the old one is freed with the last kernel that lives in it."""
    _engines.clear()
    _names.clear()


def _start(done=[]) -> None:  # noqa: B006  one list for the process: LLVM starts once
    if done:
        return
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    if sys.platform.startswith("linux"):
        llvm.load_library_permanently("libm.so.6")
    done.append(True)
