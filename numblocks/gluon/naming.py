"""Names of blocks and parameters: counters per class hint, prefixes and name scopes.

A block made without a prefix is called after its class: `dense0`, `dense1`, ... counted over the whole
program (per thread). Inside `with parent.name_scope():` the count restarts and the parent's prefix comes
first: `net0_dense0_`. The rules are Gluon's, so parameter names in old files and old code keep their meaning.
"""

from __future__ import annotations

import threading


class NameManager:
    """Counts names per hint. As a context manager it gives a fresh count, used until the block is left.

    >>> with NameManager() as names:
    ...     names.get(None, 'dense'), names.get(None, 'dense'), names.get('mine', 'dense')
    ('dense0', 'dense1', 'mine')
    """

    def __init__(self):
        self._counts: dict[str, int] = {}
        self._outer: list[NameManager] = []

    def get(self, name: str | None, hint: str) -> str:
        """`name` if there is one, else the next free name of `hint`."""
        return name if name else f"{hint}{self.count(hint)}"

    def count(self, hint: str) -> int:
        """The next number of `hint`, used up by asking."""
        number = self._counts.get(hint, 0)
        self._counts[hint] = number + 1
        return number

    def __enter__(self) -> NameManager:
        self._outer.append(_state.manager)
        _state.manager = self
        return self

    def __exit__(self, *exc) -> None:
        _state.manager = self._outer.pop()


class _State(threading.local):
    def __init__(self):
        self.manager = NameManager()
        self.scope: NameScope | None = None


_state = _State()


class NameScope:
    """What `block.name_scope()` returns: blocks made inside are named under the block's prefix."""

    def __init__(self, block):
        self.block = block
        self._counts = NameManager()
        self._outer: list[NameScope | None] = []

    def __enter__(self) -> NameScope:
        # A block with prefix='' adds nothing to names, so its scope leaves the surrounding one in force.
        self._outer.append(_state.scope)
        if self.block.prefix:
            _state.scope = self
        return self

    def __exit__(self, *exc) -> None:
        _state.scope = self._outer.pop()


def new_prefix(prefix: str | None, hint: str) -> tuple[str, object | None]:
    """The full prefix of a block being made, and the block whose name scope it is made in (or None).

    Args:
        prefix: what the user passed, None for an automatic one.
        hint: lower-case word that automatic prefixes count by, such as `'dense'`.
    """
    scope = _state.scope
    if scope is None:
        return (f"{_state.manager.get(None, hint)}_" if prefix is None else prefix), None
    if prefix is None:
        prefix = f"{hint}{scope._counts.count(hint)}_"
    return scope.block.prefix + prefix, scope.block
