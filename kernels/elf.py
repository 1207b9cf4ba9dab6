"""ELF objects: what they need from outside, and how they become memory that runs.

LLVM's own loader asks for llvmlite, which takes 40 MB and 50 ms to import. A kernel's object on x86-64 needs little of
it: LLVM's large code model leaves absolute addresses only, so to link it is to copy its sections and add them up.
Whatever else an object holds is `Unsupported`, and LLVM loads it.

Source: Tool Interface Standard, Executable and Linking Format 1.2; System V ABI, AMD64 supplement 1.0.
"""
import ctypes
import mmap
import os
import struct
import sys

_MAGIC = b"\x7fELF\x02\x01"          # 64 bits, little-endian
_RELOCATABLE, _X86_64 = 1, 62
_PROGBITS, _SYMTAB, _RELA, _NOBITS, _REL = 1, 2, 4, 8, 9
_WRITE, _ALLOC = 1, 2                # flags of sections
_ABSOLUTE, _COMMON = 0xFFF1, 0xFFF2  # section numbers that are none
_ADDRESS = 1                         # R_X86_64_64
_SECTION, _SYMBOL, _ENTRY = struct.Struct("<IIQQQQIIQQ"), struct.Struct("<IBBHQQ"), struct.Struct("<QQq")


class Unsupported(Exception):
    """The object, or this system, is not what this module knows."""


def sections(data: bytes) -> list[tuple]:
    """The section headers: name, type, flags, address, offset, size, link, info, alignment, entry size; name first."""
    start, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [_SECTION.unpack_from(data, start + k * size) for k in range(count)]
    strings = headers[names][4]
    return [(_text(data, strings + header[0]), *header[1:]) for header in headers]


def symbols(data: bytes, headers: list[tuple]) -> list[tuple[str, int, int]]:
    """Name, section number and value of every symbol."""
    found = []
    for header in headers:
        if header[1] == _SYMTAB:
            strings = headers[header[6]][4]
            for at in range(header[4], header[4] + header[5], _SYMBOL.size):
                name, _, _, section, value, _ = _SYMBOL.unpack_from(data, at)
                found.append((_text(data, strings + name), section, value))
    return found


def undefined(data: bytes) -> list[str]:
    """Symbols that an object needs from outside, sorted."""
    return sorted({name for name, section, _ in symbols(data, sections(data)) if name and section == 0})


def is_object(data: bytes) -> bool:
    """Whether these bytes are an ELF object of 64 bits, little-endian."""
    return data[:6] == _MAGIC


def link(data: bytes, symbol: str, find) -> tuple[int, object]:
    """Put an object into memory.

    Args:
        data: its bytes.
        symbol: the function it exports.
        find: the address of a name it leaves undefined.

    Returns:
        The function's address, and what must live as long as it is called.

    Raises:
        Unsupported: try LLVM's loader.
        KeyError: there is no such function in it.
    """
    if not (sys.platform == "linux" and is_object(data) and os.uname().machine == "x86_64"):
        raise Unsupported("no ELF object for x86-64 Linux")
    kind, machine = struct.unpack_from("<HH", data, 16)
    if (kind, machine) != (_RELOCATABLE, _X86_64):
        raise Unsupported(f"type {kind} for machine {machine}")
    headers = sections(data)
    fixed, changing = _Region(), _Region()
    placed = {}                                             # section number -> region, offset
    for k, (name, kind, flags, _, _, size, _, _, alignment, _) in enumerate(headers):
        if flags & _ALLOC and size and name != ".eh_frame":  # nothing is thrown through a kernel
            if kind not in (_PROGBITS, _NOBITS):
                raise Unsupported(f"section {name} of type {kind}")
            region = changing if flags & _WRITE else fixed
            placed[k] = region, region.reserve(size, alignment)
    fixed.open()
    changing.open()
    for k, (region, offset) in placed.items():
        _, kind, _, _, start, size, *_ = headers[k]
        if kind == _PROGBITS:
            region.memory[offset:offset + size] = data[start:start + size]
    addresses, exported = [], {}
    for name, section, value in symbols(data, headers):
        if section == 0:
            address = find(name) if name else 0
        elif section == _ABSOLUTE:
            address = value
        elif section in placed:
            region, offset = placed[section]
            address = exported[name] = region.start + offset + value
        elif section == _COMMON:
            raise Unsupported(f"symbol {name} is common")
        else:
            address = None                                  # in a section that is not loaded
        addresses.append(address)
    for _, kind, _, _, start, size, _, target, _, _ in headers:
        if target in placed and kind == _REL:
            raise Unsupported("relocations without addends")
        if target in placed and kind == _RELA:
            region, offset = placed[target]
            for place, info, addend in _ENTRY.iter_unpack(data[start:start + size]):
                if info & 0xFFFFFFFF != _ADDRESS or addresses[info >> 32] is None:
                    raise Unsupported(f"relocation {info & 0xFFFFFFFF}")
                struct.pack_into("<Q", region.memory, offset + place, addresses[info >> 32] + addend & (1 << 64) - 1)
    fixed.seal()
    return exported[symbol], (fixed, changing)


class _Region:
    """Memory for sections of one kind; given back to the system with this object."""

    def __init__(self):
        self.size, self.start, self.memory = 0, 0, None

    def reserve(self, size: int, alignment: int) -> int:
        """Offset of room for `size` bytes."""
        offset = -(-self.size // max(alignment, 1)) * max(alignment, 1)
        self.size = offset + size
        return offset

    def open(self) -> None:
        """Take the memory; it can be written until it is sealed."""
        if self.size:
            self.memory = mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))

    def seal(self) -> None:
        """Let it run, and no longer be written."""
        protect = ctypes.CDLL(None).mprotect
        protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        if self.size and protect(self.start, self.size, mmap.PROT_READ | mmap.PROT_EXEC):
            raise Unsupported("the system gives no memory that runs")


def _text(data: bytes, at: int) -> str:
    return data[at:data.index(b"\0", at)].decode()
