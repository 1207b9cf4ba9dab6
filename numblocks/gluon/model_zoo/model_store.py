"""Files of trained parameters on this machine."""

from __future__ import annotations

import os
import re

from ...device import cpu


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


def get_model_file(name: str, root: str | None = None) -> str:
    """The file with the trained parameters of a net. Nothing is downloaded.

    Args:
        name: the net, as for `get_model`, such as `'resnet18_v1'`.
        root: the folder; None for `default_root()`.

    Returns:
        The path of `<name>.params`, or of `<name>-<8 hexadecimal digits>.params` as MXNet saves it.

    Raises:
        FileNotFoundError: there is none.

    >>> get_model_file('resnet18_v1', root='models')                    # doctest: +SKIP
    'models/resnet18_v1.params'
    """
    folder = os.path.abspath(os.path.expanduser(default_root() if root is None else root))
    files = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = [file for file in files if _is_file_of(name, file)]
    if not found:
        there = "and the folder does not exist" if not os.path.isdir(folder) else f"among {len(files)} files"
        raise FileNotFoundError(
            f"{name}: pretrained=True reads '{name}.params' (or '{name}-<8 hexadecimal digits>.params'), and it is not"
            f" in '{folder}', {there}. numblocks does not download parameters. Put the file there, pass the folder it"
            f" is in as root=, or leave pretrained out."
        )
    exact = f"{name}.params"
    return os.path.join(folder, exact if exact in found else found[-1])


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
