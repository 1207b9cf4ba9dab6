"""Files of trained parameters: those on this machine, and MXNet's."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...device import cpu
from ..download import check_sha1, fetch_member
from .checksums import SHA1

_REPO = "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/"


def default_root() -> str:
    """The folder for trained parameters: `models` in the environment's `MXNET_HOME`, else `~/.mxnet/models`.

    >>> import os
    >>> os.path.basename(default_root())
    'models'
    """
    return os.path.join(os.environ.get("MXNET_HOME") or os.path.join("~", ".mxnet"), "models")


def _is_file_of(name: str, file: str) -> bool:
    # MXNet keeps `resnet18_v1-a0666292.params`: the name and the beginning of the content's SHA-1
    return re.fullmatch(re.escape(name) + r"(-[0-9a-f]{8})?\.params", file) is not None


def short_hash(name: str) -> str:
    """The first eight digits of the SHA-1 of MXNet's file for this net: they are part of the file's name.

    Raises:
        ValueError: MXNet has no file for it.

    >>> short_hash('resnet18_v1')
    'a0666292'
    """
    if name not in SHA1:
        raise ValueError(
            f"short_hash: {name!r}. MXNet gives away trained parameters for {', '.join(sorted(SHA1))}. Use one of"
            " these."
        )
    return SHA1[name][:8]


def get_model_file(name: str, root: str | None = None) -> str:
    """The file with the trained parameters of a net; MXNet's is downloaded if none is there.

    Args:
        name: the net, as for `get_model`, such as `'resnet18_v1'`.
        root: the folder; None for `default_root()`.

    Returns:
        The path of `<name>.params`, or of `<name>-<8 hexadecimal digits>.params` as MXNet saves it. A file that is
        there is used as it is: it may be one's own. A downloaded one is checked. The environment's `MXNET_GLUON_REPO`
        says where MXNet's files are.

    Raises:
        FileNotFoundError: there is none, and it could not be fetched.

    >>> get_model_file('resnet18_v1', root='models')                    # doctest: +SKIP
    'models/resnet18_v1-a0666292.params'
    """
    folder = os.path.abspath(os.path.expanduser(default_root() if root is None else root))
    files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = [file for file in files if _is_file_of(name, file)]
    if found:
        exact = f"{name}.params"
        return os.path.join(folder, exact if exact in found else found[-1])
    there = "and the folder does not exist" if not os.path.isdir(folder) else f"among {len(files)} files"
    problem = (
        f"{name}: pretrained=True reads '{name}.params' (or '{name}-<8 hexadecimal digits>.params'), and it is not in"
        f" '{folder}', {there}"
    )
    advice = "Put the file there, pass the folder it is in as root=, or leave pretrained out."
    if name not in SHA1:
        raise FileNotFoundError(f"{problem}. MXNet gives away none for this net. {advice}")
    try:
        return _downloaded(name, Path(folder))
    except OSError as error:
        raise FileNotFoundError(f"{problem}. MXNet's could not be fetched: {error} {advice}") from error


def _downloaded(name: str, folder: Path) -> str:
    file = f"{name}-{short_hash(name)}"
    path, archive = folder / f"{file}.params", folder / f"{file}.zip"
    repo = os.environ.get("MXNET_GLUON_REPO") or _REPO
    url = f"{repo.rstrip('/')}/gluon/models/{archive.name}"
    fetch_member(f"{name}: pretrained=True", [url], path, archive.name, None)
    archive.unlink(missing_ok=True)  # as long as the file that was in it
    if not check_sha1(path, SHA1[name]):
        path.unlink()
        raise OSError(f"the SHA-1 of '{path.name}' from {url} is not {SHA1[name]}.")
    return str(path)


def purge(root: str | None = None) -> None:
    """Remove the `.params` files from a folder.

    Args:
        root: the folder; None for `default_root()`.

    >>> purge('models')                                                 # doctest: +SKIP
    """
    folder = os.path.expanduser(default_root() if root is None else root)
    for file in os.listdir(folder) if os.path.isdir(folder) else ():
        if file.endswith(".params"):
            os.remove(os.path.join(folder, file))


def filled(net, name: str, pretrained: bool, ctx=None, root: str | None = None):
    """`net`, with the trained parameters of `name` if `pretrained`.

    >>> net = filled(nn.Dense(1), 'dense', pretrained=False)
    """
    if pretrained:
        net.load_parameters(get_model_file(name, root), ctx=cpu() if ctx is None else ctx)
    return net
