"""Hooks on a Block's calls, and the handle that removes one."""

from __future__ import annotations

import itertools

_numbers = itertools.count()


class HookHandle:
    """Removes the hook it was returned for: by `detach()`, or at the end of a `with` block.

    >>> hooks = {}
    >>> with HookHandle(hooks, print):
    ...     len(hooks)
    1
    >>> len(hooks)
    0
    """

    def __init__(self, hooks: dict, hook):
        self._hooks = hooks
        self._number = next(_numbers)
        hooks[self._number] = hook

    def detach(self) -> None:
        """Remove the hook. Nothing happens if it is gone already."""
        self._hooks.pop(self._number, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *exc) -> None:
        self.detach()


def call_with_hooks(block, run, args: tuple, kwargs: dict):
    """`run(*args, **kwargs)` between the block's hooks."""
    for hook in list(block._forward_pre_hooks.values()):
        hook(block, args)
    out = run(*args, **kwargs)
    for hook in list(block._forward_hooks.values()):
        hook(block, args, out)
    return out
