"""Files from the web: checked, resumed where the server can, and never half there under their own name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import zipfile
import zlib
from pathlib import Path

from ..formats.atomic import replacing
from .progress import bar

_CHUNK = 1 << 18
# Statuses of a server that may answer otherwise later; all other 4xx are final.
_PASSING = (408, 425, 429)


def check_sha1(filename: str | Path, sha1_hash: str) -> bool:
    """Whether the file has this SHA-1 (hexadecimal)."""
    with open(filename, "rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest() == sha1_hash.lower()


def replace_file(src: str | Path, dst: str | Path) -> None:
    """Move `src` to `dst` in one step, replacing what is there."""
    os.replace(src, dst)


def download(
    url: str, path=None, overwrite: bool = False, sha1_hash: str | None = None, retries: int = 5,
    verify_ssl: bool = True,
) -> str:  # fmt: skip
    """Fetch a file, unless it is there already.

    The bytes go to a file of another name, which takes the right one when it is complete and has the right checksum.
    If the connection breaks, it goes on where it was, if the server can. What a call that fails or is interrupted
    leaves is `<file>.part`, and a later call goes on with that if there is a checksum to tell that both parts belong
    together. Several processes may fetch the same file at once.

    Args:
        url: http, https, ftp or file.
        path: where to: a file, or an existing folder (the file keeps its name); the current folder if None.
        overwrite: fetch it even if it is there.
        sha1_hash: what the file's SHA-1 must be; a file that is there with another one is fetched again.
        retries: how many more times to try after a failure.
        verify_ssl: check the server's certificate.

    Returns:
        The path of the file.

    Raises:
        OSError: it could not be fetched (no network, no such file), or its checksum is wrong.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / 'a.txt').write_text('hello')
    >>> Path(download((folder / 'a.txt').as_uri(), folder / 'b.txt')).read_text()
    'hello'
    """
    target = _target(url, path)
    if target.exists() and not overwrite and (not sha1_hash or check_sha1(target, sha1_hash)):
        return str(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    failure: Exception | None = None
    with _own(target.with_name(target.name + ".part"), resume=bool(sha1_hash)) as part:
        for attempt in range(max(0, retries) + 1):
            if attempt:
                time.sleep(min(2.0 ** (attempt - 1) * 0.1, 5.0))
            try:
                _fetch(url, part, target.name, verify_ssl)
                if sha1_hash and not check_sha1(part, sha1_hash):
                    part.unlink()  # nothing to resume: begin anew
                    raise OSError(f"its SHA-1 is not {sha1_hash}")
                replace_file(part, target)
                return str(target)
            except OSError as error:  # URLError and timeouts are OSErrors
                failure = error
                if _final(error):
                    break
    raise OSError(
        f"download: {url} could not be fetched to {target}: {failure}. The network or the server refused, or the"
        f" file is not the expected one. Try again later, or put the file there by hand."
    ) from failure


def _target(url, path) -> Path:
    name = url.partition("?")[0].partition("://")[2].partition("/")[2].rpartition("/")[2]
    if path is not None and not Path(path).expanduser().is_dir():
        return Path(path).expanduser()
    if not name:
        raise ValueError(f"download: {url!r} names no file. The name is taken from it. Pass path=.")
    return Path("." if path is None else path).expanduser() / name


@contextlib.contextmanager
def _own(part: Path, resume: bool):
    """A file that nobody else writes, with the content of `part` if that is to be resumed; in the end it is `part`."""
    own = part.with_name(f"{part.name}.{os.getpid()}-{os.urandom(4).hex()}")
    with contextlib.suppress(FileNotFoundError):
        os.rename(part, own)  # of several processes one gets it, the others begin anew
    if not resume:
        own.unlink(missing_ok=True)
    try:
        yield own
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.replace(own, part)


def _fetch(url: str, part: Path, name: str, verify_ssl: bool) -> None:
    """Append what is missing of `url` to `part`."""
    # Here and not above: these take longer to import than all of numblocks, and only downloads need them.
    import http.client
    import ssl
    import urllib.error
    import urllib.request

    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "numblocks"})
    if have and url.startswith("http"):
        request.add_header("Range", f"bytes={have}-")
    context = None if verify_ssl else ssl._create_unverified_context()
    try:
        answer = urllib.request.urlopen(request, timeout=60, context=context)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing after what is there; whether it is the right file cannot be known
            part.unlink()
        raise
    with answer:
        resumed = answer.status == 206 if hasattr(answer, "status") else False
        length = answer.headers.get("Content-Length")
        begin = have if resumed else 0
        total = begin + int(length) if length is not None else None
        shown = bar(total, name, "B", scale=True, initial=begin)
        with open(part, "ab" if resumed else "wb") as file, shown as progress:
            got = 0
            try:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    got += len(chunk)
                    progress.update(len(chunk))
            except http.client.HTTPException as error:
                raise OSError(f"the connection failed: {error}") from error
        if length is not None and got < int(length):
            raise OSError(f"the connection ended after {got} of {length} bytes")


def _final(error: Exception) -> bool:
    code = getattr(error, "code", None)
    if code is not None:
        return 400 <= code < 500 and code not in (*_PASSING, 416)
    reason = getattr(error, "reason", None)
    return isinstance(reason, (FileNotFoundError, PermissionError))


def fetch(where: str, urls, path: Path, sha1: str | None) -> Path:
    """`path`, downloaded from the first of `urls` that gives it, if it is not there.

    A file that is there is used as it is: it may be somebody's own data in the same format.

    Raises:
        OSError: no address gave it.
    """
    if path.exists():
        return path
    tried = []
    for url in urls:
        try:
            return Path(download(url, path, sha1_hash=sha1, retries=1))
        except OSError as error:
            tried.append(str(error))
    raise OSError(
        f"{where}: there is no file '{path}', and it could not be fetched: {tried[-1]} Without a network, copy the"
        f" dataset's files to '{path.parent}', or pass root=."
    )


def fetch_member(where: str, urls, path: Path, archive: str, sha1: str | None) -> Path:
    """`path`, a file of that name somewhere in the zip file `archive`, which is fetched if neither is there.

    The archive stays beside the file: others may lie in it. Where `sha1` of the archive is None, the checksums within
    it are what is checked.

    Raises:
        OSError: the archive cannot be fetched, is damaged, or does not hold the file. No half file is left.
    """
    if path.exists():
        return path
    packed = fetch(where, urls, path.with_name(archive), sha1)
    try:
        with zipfile.ZipFile(packed) as opened:
            members = [each for each in opened.infolist() if each.filename.rpartition("/")[2] == path.name]
            if not members:
                raise OSError(
                    f"{where}: '{packed}' holds no '{path.name}'. It is another archive. Delete it to fetch it again."
                )
            with (
                opened.open(members[0]) as source, replacing(path) as file,
                bar(members[0].file_size, path.name, "B", scale=True) as progress,
            ):  # fmt: skip
                while chunk := source.read(_CHUNK):
                    file.write(chunk)
                    progress.update(len(chunk))
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise OSError(f"{where}: '{packed}' is damaged: {error}. Delete it to fetch it again.") from error
    return path
