"""What this CPU is: from the system where it says so, else from LLVM, which takes 50 ms to load."""
import functools
import os

# lines of /proc/cpuinfo that decide which code LLVM writes, on x86 and ARM
_TELLING = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags",
            "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features")


@functools.cache
def described() -> dict[str, str]:
    """The first CPU's lines in /proc/cpuinfo that matter; LLVM's name and features where there are none."""
    found = {}
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                key, _, value = line.partition(":")
                if not key.strip():
                    break                                   # a machine of one kind of CPU: the first tells all
                if key.strip() in _TELLING:
                    found[key.strip()] = value.strip()
    except OSError:
        pass
    if "flags" not in found and "Features" not in found:
        from . import llvm

        name, features = llvm.host()
        found = {"model name": name, "flags": " ".join(f[1:] for f in features.split(",") if f[:1] == "+")}
    return found


def identity() -> str:
    """Text that is the same on CPUs for which LLVM writes the same code."""
    return "\n".join(f"{key}: {value}" for key, value in sorted(described().items()))


def has(feature: str) -> bool:
    """Whether the CPU has a feature, by its common name: `has("avx512f")`."""
    found = described()
    return feature in found.get("flags", found.get("Features", "")).split()


def architecture() -> str:
    """`x86_64`, `aarch64` ..."""
    return os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "cpu")
