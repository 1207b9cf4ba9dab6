"""Where kernel texts and their objects lie, how they are written, and how a bad file is told from a good one.

    <directory>/<tag>/<name>.py      the text, readable, as it was compiled
    <directory>/<tag>/<name>.o       object file, then a seal (`cc` takes files with trailing bytes)

`tag` stands for everything outside the text that the object depends on: versions, CPU, Numba's switches, the
prelude and the compiler. The seal holds the sha256 of the text and of the object, so an object that is cut
short, damaged, or made from another text under the same name is never loaded.
"""
import hashlib
import importlib.util
import json
import os
import re
import stat
import sys
import tempfile
import warnings
from pathlib import Path

from .sources import digest, read_source

_MAGIC = b"numblks1"
_SWITCHES = ("NUMBA_OPT", "NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE", "NUMBA_CPU_NAME",
             "NUMBA_CPU_FEATURES", "NUMBA_DEBUGINFO", "NUMBA_BOUNDSCHECK", "NUMBA_ENABLE_AVX",
             "NUMBA_DISABLE_INTEL_SVML")
# what decides, besides a kernel's text or program, which code it gets: the translators and the emitters
_SOURCES = ("prelude.py", "intrinsics.py", "tile.py", "tile_intrinsics.py", "tile_ir.py", "lanes.py", "lane_values.py",
            "lanes_ir.py", "lane_memory.py", "compiler.py", "direct.py", "direct_values.py", "direct_calls.py",
            "codegen.py", "llvm.py", "emit_cpu.py", "statements.py", "typed.py", "rendering.py", "scalars.py",
            "program.py", "sources.py", "library.py", "mathlib.py", "math32.py", "math64.py",
            "hyperbolic32.py", "hyperbolic64.py", "trig32.py", "trig64.py")
_chosen: dict[str | None, Path | None] = {}      # value of NUMBLOCKS_CACHE_DIR -> directory that works
_warned: set[str] = set()


class Damaged(Exception):
    """The object file does not match its seal."""


def directory() -> Path | None:
    """The cache directory, made if absent; None when no place can be written (kernels then live in memory).

    NUMBLOCKS_CACHE_DIR names it; otherwise the platform's cache directory; otherwise a private one under the
    temporary directory. Never inside site-packages.
    """
    wish = os.environ.get("NUMBLOCKS_CACHE_DIR") or None
    if wish not in _chosen:
        _chosen[wish] = _choose(wish)
    return _chosen[wish]


def _choose(wish: str | None) -> Path | None:
    places = [(Path(wish).expanduser, False)] if wish else []
    places += [(_platform_directory, False), (_temporary_directory, True)]
    for make, private in places:
        try:
            place = Path(os.path.abspath(make()))
            if {"site-packages", "dist-packages"} & set(place.parts):
                raise OSError("it lies inside site-packages")
            if not private and place.is_dir() and any(place.glob("numba*")) and not os.access(place, os.W_OK):
                return place                      # filled beforehand and read-only: a container image
            place.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
            if private and not _is_ours(place):
                place = Path(tempfile.mkdtemp(prefix="numblocks-"))
            with tempfile.TemporaryFile(dir=place):
                return place
        except (OSError, RuntimeError) as error:          # RuntimeError: no home directory
            if wish and not private and make is places[0][0]:
                warn(f"NUMBLOCKS_CACHE_DIR={wish} cannot be used: {error}. Kernels go to another place. "
                     "Name a directory that can be written")
    return None


def _platform_directory() -> Path:
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(local) / "numblocks" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "numblocks"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numblocks"


def _temporary_directory() -> Path:
    who = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"numblocks-{who}"


def _is_ours(place: Path) -> bool:
    """Machine code is run from here: under a shared /tmp the directory must be ours alone."""
    if not hasattr(os, "getuid"):
        return True
    found = os.lstat(place)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def tag(place: Path, architecture: str, cpu: str) -> str:
    """Name of the subdirectory of `place` for this Numba, llvmlite and CPU.

    Versions are read from files: to import the packages would cost what the cache saves. Where they are not
    installed the newest fitting subdirectory serves: a filled cache needs NumPy only.
    """
    here = Path(__file__).parent
    parts = [sys.platform, cpu]
    parts += [f"{name}={os.environ[name]}" for name in _SWITCHES if name in os.environ]
    parts += [read_source(here / name) for name in _SOURCES]
    rest = f"-{architecture}-{digest(*parts)}"
    numba, llvmlite = _version("numba"), _version("llvmlite")
    if numba is None or llvmlite is None:
        fitting = sorted(place.glob(f"numba*{rest}"), key=lambda path: path.stat().st_mtime)
        return fitting[-1].name if fitting else "numba0" + rest
    return f"numba{numba}-llvmlite{llvmlite}{rest}"


def _version(package: str) -> str | None:
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:                                      # blocked in sys.modules
        spec = None
    if spec is None or not spec.origin:
        return None
    try:
        text = (Path(spec.origin).parent / "_version.py").read_text()
        found = re.search(r"[\"']version[\"']: [\"']([^\"']+)|version = [\"']([^\"']+)", text)
        return found[1] or found[2]
    except (OSError, TypeError):
        from importlib.metadata import version
        return version(package)


def write(path: Path, data: bytes) -> None:
    """Put `data` at `path` at once: other processes see the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


def seal(text: str, data: bytes, undefined: list[str]) -> bytes:
    """Object bytes followed by the seal: json, its length, a magic word."""
    note = json.dumps({"text": _sha(text.encode()), "object": _sha(data), "undefined": undefined}).encode()
    return data + note + len(note).to_bytes(8, "little") + _MAGIC


def unseal(text: str | None, sealed: bytes) -> tuple[bytes, list[str]] | None:
    """Object bytes and undefined symbols; None when the object belongs to another text (`text` None: to any).

    Raises:
        Damaged: the file is cut short or changed.
    """
    length = int.from_bytes(sealed[-16:-8], "little")
    if sealed[-8:] != _MAGIC or length + 16 > len(sealed):
        raise Damaged("the file is cut short")
    data, note = sealed[:-16 - length], sealed[-16 - length:-16]
    try:
        note = json.loads(note)
        whole = note["object"] == _sha(data)
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise Damaged("its bytes have changed since it was written")
    return (data, note["undefined"]) if text is None or note["text"] == _sha(text.encode()) else None


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def warn(message: str) -> None:
    """Warn about the cache, each message once in a process."""
    if message not in _warned:
        _warned.add(message)
        warnings.warn(f"kernel cache: {message}.", RuntimeWarning, stacklevel=4)


def files(place: Path) -> list[Path]:
    """Kernel files under `place`: those with our names and nothing else."""
    found = [path for tagged in place.glob("numba*") if tagged.is_dir() for path in tagged.iterdir()]
    return sorted(path for path in found if path.suffix in (".py", ".ll", ".o", ".tmp"))


def remove_all(place: Path) -> None:
    """Delete the kernel files under `place`, and the directories this leaves empty."""
    for path in files(place):
        path.unlink(missing_ok=True)
    for tagged in place.glob("numba*"):
        try:
            tagged.rmdir()
        except OSError:                                    # not empty: something that is not ours
            pass


def report(place: Path | None) -> str:
    """Lines of text: the directory, then name and size of each kernel's object."""
    if place is None:
        return "no directory can be written: kernels live in memory only"
    objects = [path for path in files(place) if path.suffix == ".o"]
    total = sum(path.stat().st_size for path in files(place))
    lines = [f"{place}  ({len(objects)} kernels, {total / 1024:.1f} KiB)"]
    for tagged in sorted({path.parent for path in objects}):
        lines.append(f"  {tagged.name}")
        lines += [f"    {path.stat().st_size / 1024:8.1f} KiB  {path.stem}"
                  for path in objects if path.parent == tagged]
    return "\n".join(lines)
