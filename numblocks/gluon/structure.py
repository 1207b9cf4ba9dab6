"""Tells a hybridized net whether its parts changed since it was traced."""

from __future__ import annotations


class Version:
    """Counts registrations of blocks and parameters anywhere, so that an unchanged net is seen at once."""

    number = 0


class Traced:
    """What a hybridized block keeps between calls.

    Attributes:
        compiled: the compiled function.
        params: the parameters it is called with.
        parts: what the net consisted of when it was made.
        version: `Version.number` when `parts` was last compared.
    """

    __slots__ = ("compiled", "params", "parts", "version")

    def __init__(self, compiled, params: list, parts: list, version: int):
        self.compiled, self.params, self.parts, self.version = compiled, params, parts, version


def parts(block) -> list:
    """Every descendant and every parameter object, in order: equal lists mean the same net."""
    found = [block, *block._reg_params.values()]
    for child in block._children.values():
        found.extend(parts(child))
    return found
