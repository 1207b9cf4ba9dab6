"""Tells a hybridized net whether its parts changed since it was traced."""

from __future__ import annotations


class Version:
    """Counts changes in any net (a child registered, an array made, a grad_req set)."""

    number = 0


class Traced:
    """What a hybridized block keeps between calls.

    Attributes:
        compiled: the compiled function for the gradients now wanted.
        params: the parameters it is called with.
        parts: what the net consisted of when it was made.
        arrays: the arrays of its parameters then; others (after a cast, say) ask for a new trace.
        version: `Version.number` when both were last compared.
    """

    __slots__ = ("compiled", "params", "parts", "arrays", "version", "_make", "_by_wanted")

    def __init__(self, make, params: list, parts: list):
        self._make, self.params, self.parts = make, params, parts
        self.arrays = arrays_of(params)
        self._by_wanted: dict = {}
        self.update()

    def update(self) -> None:
        """Take the function made for the parameters that now want gradients; each combination has its own."""
        wanted = tuple(param.grad_req != "null" for param in self.params)
        if wanted not in self._by_wanted:
            self._by_wanted[wanted] = self._make()
        self.compiled = self._by_wanted[wanted]
        self.version = Version.number

    def fits(self, parts: list) -> bool:
        """Whether the net still has these parts and its parameters the same arrays."""
        if parts != self.parts:
            return False
        now = arrays_of(self.params)
        return len(now) == len(self.arrays) and all(a is b for a, b in zip(now, self.arrays, strict=True))


def arrays_of(params: list) -> list:
    """The arrays of all parameters, on all devices."""
    return [array for param in params for array in param._arrays.values()]


def parts(block) -> list:
    """Every descendant and every parameter object, in order: equal lists mean the same net."""
    found = [block, *block._reg_params.values()]
    for child in block._children.values():
        found.extend(parts(child))
    return found
