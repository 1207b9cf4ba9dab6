"""The front door of the kernel floor: text in, callable machine code out, from memory, disk or a build.

    kernel = load(name, text)
    kernel(0, n, args.ctypes.data)          # args: the packed int64 arguments

A process whose kernels all lie on disk never imports numba.
"""
import os
import re
import threading
import time
from collections import namedtuple
from collections.abc import Callable

from . import entry, interpreter, notes, workers
from .sources import digest
from .workers import set_threads, threads

__all__ = ["CacheInfo", "Kernel", "cache_info", "clear", "define", "digest", "directory", "interpreted", "launched",
           "load", "observer", "report", "run", "set_threads", "threads"]

CacheInfo = namedtuple("CacheInfo", "builds loads launches kernels directory")

_lock = threading.RLock()
_kernels: dict[str, "Kernel"] = {}
_tags: list[str] = []
_builds = _loads = 0
_launches = 0
recorder = None    # called `(kernel, n, argp, grain)` at each `run`, while someone writes down what an op launches
observer = None    # called `(what happened, kernel, seconds)` when a kernel has been built or loaded


class Kernel:
    """Machine code of one kernel: `kernel(lo, hi, argp)`.

    Attributes:
        name: the function's name in its text, and the object's symbol.
        path: the readable text on disk; None when nothing could be written.
        text: the text.
        address: of native code `void (int64_t lo, int64_t hi, int64_t *a)`, valid while the kernel lives; None
            under NUMBA_DISABLE_JIT, where the text runs as Python.
        call: the bare machine code, not counted in `launches`: the cheapest way in. Takes ints.
    """

    __slots__ = ("name", "path", "address", "call", "_text", "__weakref__")

    def __init__(self, name, text, path, address, call):
        self.name, self._text, self.path, self.address, self.call = name, text, path, address, call

    @property
    def text(self) -> str:
        if not isinstance(self._text, str):
            self._text = self._text()
        return self._text

    def __call__(self, lo: int, hi: int, argp: int) -> None:
        """Run over `[lo, hi)` with the int64 array at address `argp`; releases the GIL."""
        global _launches
        _launches += 1
        self.call(lo, hi, argp)

    def __reduce__(self):
        return load, (self.name, self.text)

    def __repr__(self):
        return f"<kernel {self.name}>"

    def is_of(self, text) -> bool:
        """Whether `text` is this kernel's; what is not written yet is known by its name alone."""
        return callable(text) or self.text == text


def load(name: str, text: str | Callable[[], str], where: dict[str, str] | None = None) -> Kernel:
    """Kernel `name` of the module `text`: from memory, else from disk, else compiled now and kept on disk.

    Args:
        name: a function `def name(lo, hi, a)` of the text; ends in a hash (`digest`) by convention.
        text: a complete Python module that begins with `prelude.header(...)`, or LLVM assembly that begins with a
            comment; or a function that writes it. That is called for a build only, so then the name's hash must stand
            for all that the text depends on (the sources of the emitters are part of the cache's tag).
        where: the user's `file:line` for names that the function assigns; written beside them in a file that is new.

    Returns:
        The same Kernel for the same name and text.

    Raises:
        RuntimeError: the text cannot be compiled; the message names the file, the cause is chained.

    Example:
        >>> from numblocks.kernels import prelude
        >>> text = prelude.header("y = 2") + "def two(lo, hi, a):\\n    pointer(a[0], float32)[lo] = 2.0\\n"
        >>> load("two", text).name                                    # doctest: +SKIP
        'two'
    """
    kernel = _kernels.get(name)
    if kernel is not None and kernel.is_of(text):
        return kernel
    with _lock:
        kernel = _kernels.get(name)
        if kernel is None or not kernel.is_of(text):
            start = time.perf_counter()
            if interpreted() and not _is_assembly(text):
                event, kernel = "read", _plain(name, text, where)
            else:
                event, kernel = "loaded", _from_disk(name, text)
                if kernel is None:
                    event, kernel = "built", _build(name, text, where)
            _kernels[name] = kernel
            if observer is not None:
                observer(event, kernel, time.perf_counter() - start)
    return kernel


def interpreted() -> bool:
    """Whether kernels run as plain Python, for a debugger: NUMBA_DISABLE_JIT=1."""
    return interpreter.wanted()


def run(kernel: Kernel, n: int, argp: int, grain: int) -> None:
    """Call `kernel` over `[0, n)`: in this thread when `n` is below two grains, else split over `threads()`.

    Args:
        n: size of the parallel index.
        argp: address of the packed int64 arguments; must stay alive until the return.
        grain: the smallest piece worth a thread (about 100 us of work).
    """
    global _launches
    _launches += 1
    if recorder is not None:
        recorder(kernel, n, argp, grain)
    if kernel.address is None:
        kernel.call(0, n, argp)  # a debugger sees this thread only
    else:
        workers.run(kernel, n, argp, grain, load)


def launched(count: int) -> None:
    """Add `count` to the launches: for a plan that uses `kernel.call` and counts for itself."""
    global _launches
    _launches += count


def define(symbol: str, address: int) -> None:
    """Let the code of later kernels call the native function at `address` as `symbol`."""
    _loader().define(symbol, address)


def cache_info() -> CacheInfo:
    """Counts of this process: kernels compiled, loaded from disk, launched, held; and the cache directory."""
    return CacheInfo(_builds, _loads, _launches + entry.launches(), len(_kernels), directory())


def clear(disk: bool = True) -> None:
    """Forget all kernels, and delete their files unless `disk` is False. Kernels still held keep working."""
    with _lock:
        _kernels.clear()
        _tags.clear()
        _loader().forget()
        if disk and directory() is not None:
            _disk().remove_all(directory())


def report() -> str:
    """The cache directory and the kernels in it, with the sizes of their objects, as lines of text."""
    return _disk().report(directory())


def directory():
    """The cache directory, a Path; None when no place can be written. See `cache.directory`."""
    return _disk().directory()


def _disk():
    """The module of the cache, and what it needs of the standard library: at the first kernel too."""
    from . import cache
    return cache


def _loader():
    """The loader: at the first kernel, not at `import numblocks`."""
    from . import loader
    return loader


def _paths(name: str):
    """Where the text and the object of a kernel lie, or two Nones."""
    place = directory()
    if place is None:
        return None, None
    if not _tags:
        _tags.append(_loader().tag(place))
    stem = place / _tags[0] / name
    return stem.with_name(name + ".py"), stem.with_name(name + ".o")


def _from_disk(name, text):
    global _loads
    source, path = _paths(name)
    try:
        found = _disk().unseal(None if callable(text) else text, path.read_bytes()) if path is not None else None
        if found is None:
            return None
        call, address = _loader().load_object(found[0], name, found[1])
    except FileNotFoundError:
        return None
    except (OSError, _disk().Damaged, ImportError, LookupError) as error:
        _disk().warn(f"{path} is set aside and built again: {error}")
        return None
    _loads += 1
    return _kernel(name, text, source, address, call)


def _kernel(name, text, source, address, call) -> Kernel:
    entry.prepare(load)
    return Kernel(name, text, source, address, entry.caller(call, address))


def _is_assembly(text) -> bool:
    return isinstance(text, str) and text.startswith(";")


def _plain(name, text, where):
    text = text() if callable(text) else text
    source = _write(_paths(name)[0], notes.annotate(name, text, where).encode())
    return Kernel(name, text, source, None, interpreter.load(name, text, str(source or f"<kernel {name}>")))


def _build(name, text, where=None):
    global _builds
    text = text() if callable(text) else text
    source, path = _paths(name)
    if source is not None and _is_assembly(text):
        source = source.with_suffix(".ll")
    source = _write(source, notes.annotate(name, text, where).encode())  # first: errors point into a file that is there
    shown = str(source or f"<kernel {name}>")
    try:
        data, undefined = _compile(name, text, shown)
        call, address = _loader().load_object(data, name, undefined)
    except Exception as error:
        raise RuntimeError(_complaint(name, shown, error)) from error
    _builds += 1
    if source is not None:
        _write(path, _disk().seal(text, data, undefined))
    return _kernel(name, text, source, address, call)


def object_code(kernel: Kernel) -> bytes:
    """The kernel as an object file that a linker can put into a shared library (the cached one is for this process)."""
    return _compile(kernel.name, kernel.text, str(kernel.path), shared=True)[0]


def _compile(name, text, shown, shared=False):
    """Object code by the direct translator, or by Numba for what it does not know."""
    from . import direct  # brings in llvmlite

    if _is_assembly(text):
        return direct.codegen.to_object(text, name, optimize=True, allowed=None)
    try:
        return direct.compile_object(name, text, shown, shared)
    except direct.Unsupported:
        from . import compiler  # numba comes in here and nowhere else

        return compiler.compile_object(name, text, shown, shared)


def _write(path, data):
    """Write one cache file; None, after one warning, when the disk does not take it."""
    if path is None:
        return None
    try:
        _disk().write(path, data)
    except OSError as error:
        _disk().warn(f"nothing can be written to {path.parent}: {error.strerror or error}. Kernels of this "
                   "process stay in memory. Free some space or set NUMBLOCKS_CACHE_DIR")
        return None
    return path


def _complaint(name: str, shown: str, error: Exception) -> str:
    """One line for a failed build: the file and line, the compiler's telling words, what to do."""
    if isinstance(error, ModuleNotFoundError):
        return (f"kernel {name}: it is not in the cache {directory()}, and {error.name} is not installed. "
                "A kernel that is new to this machine must be compiled. Install numba.")
    words = str(error)
    lines = [line.strip() for line in words.splitlines()]
    lines = [line for line in lines if line and not line.startswith("Failed in")] or [type(error).__name__]
    inner = re.search(r"^ +\w*Error: (.+)$", words, re.M)           # an intrinsic's own refusal
    call = re.search(r"^ *>>> (.+)$", words, re.M)
    what = inner[1] if inner else f"{lines[0].rstrip(':')} {call[1]}" if call else lines[0]
    line = re.search(rf"{re.escape(os.path.basename(shown))}\W+(?:line )?(\d+)", words)
    where = f"{shown}:{line[1]}" if line else shown
    return (f"{where}: kernel {name} cannot be built: {what.rstrip('.')}. A kernel runs without the "
            "interpreter, on machine types only. Correct the text; the compiler's own words are chained.")


def _hold():
    _lock.acquire()


def _release():
    _lock.release()


if hasattr(os, "register_at_fork"):
    # a fork waits until no build is under way, so the child never inherits a lock held by a thread it has not
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_release)
