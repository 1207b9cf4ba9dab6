"""Object code -> address, through llvmlite alone: what a warm process runs instead of a compiler."""
import struct
import sys
from ctypes import CFUNCTYPE, c_int64, c_void_p

import llvmlite
import llvmlite.binding as llvm

from . import cache

# Symbols that a kernel may name but never call: the destructor of an owned array; kernels own none.
PLACEHOLDERS = ("NRT_MemInfo_call_dtor",)
PROTOTYPE = CFUNCTYPE(None, c_int64, c_int64, c_void_p)

_engines: list = []        # the engine that takes the next object, if any
_names: set[str] = set()   # symbols it holds already


class Missing(LookupError):
    """The object needs symbols that this process has not."""


def host() -> tuple[str, str]:
    """Name and feature string of this CPU, which object code is bound to."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def tag(place) -> str:
    """Subdirectory of the cache directory `place` for this process."""
    return cache.tag(place, llvmlite.__version__, *host())


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


def load_object(data: bytes, symbol: str, undefined: list[str]):
    """Link the object file `data` into this process.

    Args:
        data: bytes of a relocatable object file made on this kind of CPU.
        symbol: the function it exports.
        undefined: symbols it needs; LLVM ends the process when one is missing, so they are looked up first.

    Returns:
        `(call, address)`: a ctypes function `(lo, hi, argp)` that releases the GIL, and its address. The code
        lives as long as `call` does.

    Raises:
        Missing: a needed symbol is not there, or `symbol` is not in the object.
    """
    _start()
    absent = [name for name in undefined if not llvm.address_of_symbol(name)]
    if absent:
        raise Missing(f"symbols not found in this process: {', '.join(absent)}")
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
    address = engine.get_function_address(symbol)
    if not address:
        raise Missing(f"the object does not export {symbol}")
    call = PROTOTYPE(address)
    call.engine = engine
    return call, address


def define(symbol: str, address: int) -> None:
    """Give `symbol` an address for the objects loaded from now on."""
    llvm.add_symbol(symbol, address)


def forget() -> None:
    """Let the next object start a new engine; the old one is freed with the last kernel that lives in it."""
    _engines.clear()
    _names.clear()


def undefined_symbols(module, data: bytes) -> list[str]:
    """Symbols that the object file needs from outside, sorted.

    Read from the object itself where it is ELF (code generation adds libcalls of its own, `memset` say);
    elsewhere from the module's declarations.
    """
    if data[:5] == b"\x7fELF\x02":
        return _elf_undefined(data)
    return sorted(item.name for item in (*module.functions, *module.global_variables)
                  if item.is_declaration and not item.name.startswith("llvm."))


def _elf_undefined(data: bytes) -> list[str]:
    """Names of section index 0 in a 64-bit ELF symbol table (ELF-64 Object File Format, sections 4 and 6)."""
    order = "<" if data[5] == 1 else ">"
    table, = struct.unpack_from(order + "Q", data, 40)
    size, count = struct.unpack_from(order + "HH", data, 58)
    headers = [struct.unpack_from(order + "IIQQQQIIQQ", data, table + i * size) for i in range(count)]
    found = set()
    for header in headers:
        if header[1] != 2:                                   # SHT_SYMTAB
            continue
        strings = headers[header[6]][4]
        for at in range(header[4], header[4] + header[5], 24):
            name, _, _, section = struct.unpack_from(order + "IBBH", data, at)
            if name and section == 0:
                start = strings + name
                found.add(data[start:data.index(b"\0", start)].decode())
    return sorted(found)


def _start(done=[]) -> None:  # noqa: B006  one list for the process: LLVM starts once
    if done:
        return
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    if sys.platform.startswith("linux"):
        llvm.load_library_permanently("libm.so.6")
    for name in PLACEHOLDERS:
        if not llvm.address_of_symbol(name):
            llvm.add_symbol(name, 1)                          # never called: any address that is not null
    done.append(True)
