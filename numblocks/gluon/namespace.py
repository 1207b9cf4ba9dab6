"""`F`: what `hybrid_forward(self, F, x, ...)` is given. One namespace for eager and compiled runs alike."""

from __future__ import annotations

from .. import nd, np, npx


class Namespace:
    """The names of several modules in one place, the first module that has a name wins.

    Names of `nd` come first, so `F.FullyConnected`, `F.concat(a, b, dim=1)` mean what they meant in old code;
    then `npx` and `np`. `F.np` and `F.npx` are the modules themselves.

    >>> F.npx.relu(np.array([-1., 1.]))
    array([0., 1.])
    """

    def __init__(self, *modules):
        self.np, self.npx = np, npx
        self._modules = modules

    def __getattr__(self, name: str):
        for module in self._modules:
            found = getattr(module, name, None)
            if found is not None:
                setattr(self, name, found)
                return found
        raise AttributeError(
            f"F: has no operation named '{name}'. It offers the names of nd, npx and np. Check the name."
        )


F = Namespace(nd, npx, np)
