"""Object code -> address: what a warm process runs instead of a compiler, without LLVM on x86-64 Linux (`elf`)."""
import ctypes
import sys
from ctypes import CFUNCTYPE, c_int64, c_void_p

from . import cache, elf, machine

# Symbols that a kernel may name but never call: the destructor of an owned array; kernels own none.
PLACEHOLDERS = {"NRT_MemInfo_call_dtor": 1}  # any address that is not null
PROTOTYPE = CFUNCTYPE(None, c_int64, c_int64, c_void_p)

_symbols: dict[str, int] = dict(PLACEHOLDERS)  # addresses that were found or told
_libraries: list = []


class Missing(LookupError):
    """The object needs symbols that this process has not."""


def tag(place) -> str:
    """Subdirectory of the cache directory `place` for this process."""
    return cache.tag(place, machine.architecture(), machine.identity())


def load_object(data: bytes, symbol: str, undefined: list[str]):
    """Link the object file `data` into this process.

    Args:
        data: bytes of a relocatable object file made on this kind of CPU.
        symbol: the function it exports.
        undefined: symbols it needs.

    Returns:
        `(call, address)`: a ctypes function `(lo, hi, argp)` that releases the GIL, and its address. The code
        lives as long as `call` does.

    Raises:
        Missing: a needed symbol is not there, or `symbol` is not in the object.
    """
    needed = {name: find(name) for name in undefined}
    absent = [name for name, address in needed.items() if not address]
    if absent:
        raise Missing(f"symbols not found in this process: {', '.join(absent)}")
    try:
        address, keep = elf.link(data, symbol, needed.__getitem__)
    except KeyError:
        address = None
    except elf.Unsupported:
        from . import llvm  # takes 40 MB and 50 ms

        address, keep = llvm.load(data, symbol, needed)
    if not address:
        raise Missing(f"the object does not export {symbol}")
    call = PROTOTYPE(address)
    call.keep = keep
    return call, address


def define(symbol: str, address: int) -> None:
    """Give `symbol` an address for the objects loaded from now on."""
    _symbols[symbol] = address


def find(symbol: str) -> int | None:
    """The address of a symbol: as told, or of the C and the mathematics library."""
    if symbol not in _symbols:
        if not _libraries:
            _libraries.extend(_open())
        found = next((getattr(library, symbol) for library in _libraries if hasattr(library, symbol)), None)
        if found is None:
            return _known_to_llvm(symbol)
        _symbols[symbol] = ctypes.cast(found, c_void_p).value
    return _symbols[symbol]


def _known_to_llvm(symbol: str) -> int | None:
    """Where LLVM finds it, for what belongs to a compiler's run-time library."""
    try:
        from . import llvm
    except ImportError:
        return None
    return llvm.address_of(symbol)


def _open() -> list:
    names = {"linux": [None, "libm.so.6"], "darwin": [None], "win32": ["ucrtbase.dll", "msvcrt.dll"]}
    libraries = []
    for name in names.get(sys.platform, [None]):
        try:
            libraries.append(ctypes.CDLL(name))
        except OSError:
            continue
    return libraries


def forget() -> None:
    """Let nothing that is loaded from now on share memory with what is there."""
    if f"{__package__}.llvm" in sys.modules:
        from . import llvm

        llvm.forget()


def undefined_symbols(module, data: bytes) -> list[str]:
    """Symbols that the object file needs from outside, sorted.

    Read from the object itself where it is ELF (code generation adds libcalls of its own, `memset` say);
    elsewhere from the module's declarations.
    """
    if elf.is_object(data):
        return elf.undefined(data)
    return sorted(item.name for item in (*module.functions, *module.global_variables)
                  if item.is_declaration and not item.name.startswith("llvm."))
