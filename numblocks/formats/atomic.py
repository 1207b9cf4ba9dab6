"""Writing a file so that a reader sees the old one or the new one, never half of either."""

from __future__ import annotations

import contextlib
import os


@contextlib.contextmanager
def replacing(path):
    """Open a temporary file beside `path`; it takes `path`'s place when the body ends without error.

    Args:
        path: the file to replace or create; a symbolic link is followed.

    Raises:
        OSError: the folder is missing, full or not writable. What stood at `path` is untouched.
    """
    target = os.path.realpath(path)
    temporary = f"{target}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            # Without it a crash after the rename could leave an empty file under the good name.
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
