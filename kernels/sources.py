"""What kernels are named by: digests of text, and the text of this package's own files."""


def digest(*parts: str) -> str:
    """First 12 hex digits of the sha256 of `parts`: the tail of every kernel name.

    >>> digest("a", "b") == digest("ab")
    False
    """
    import hashlib  # brings in OpenSSL, which `import numblocks` does without

    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def read_source(path) -> str:
    """Text of a source file of this package."""
    loader = globals().get("__loader__")
    if hasattr(loader, "get_data"):  # also inside a zip archive
        return loader.get_data(str(path)).decode()
    with open(path, encoding="utf-8") as file:
        return file.read()
