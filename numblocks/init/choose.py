"""Initializers that choose by the name of the parameter."""

from __future__ import annotations

import re

from .base import create, fill


def _own_initializer(desc, asking):
    """The initializer a parameter brings along, unless it is the one that asks."""
    own = getattr(desc, "attrs", {}).get("__init__")
    return None if own is None or own == "" or own is asking else create(own)


class Mixed:
    """The first initializer whose pattern is found in the parameter's name.

    Args:
        patterns: regular expressions; end with `'.*'`.
        initializers: one for each.
    """

    def __init__(self, patterns, initializers):
        if len(patterns) != len(initializers):
            raise AssertionError(
                f"Mixed: {len(patterns)} patterns for {len(initializers)} initializers. Pair them."
            )
        self.map = [(re.compile(p), create(i)) for p, i in zip(patterns, initializers, strict=True)]

    def __call__(self, name, arr):
        own = _own_initializer(name, self)
        if own is not None:
            getattr(own, "_init_weight", own)(name, arr)
            return
        for pattern, init in self.map:
            if pattern.match(name):
                init(str(name), arr)
                return
        raise ValueError(
            f"Mixed: no pattern fits the parameter '{name}'. Each needs one. Add '.*' as the last pattern."
        )


class Load:
    """Values from a dict of arrays by name (prefixes `arg:` and `aux:` are dropped), else another
    initializer.

    Args:
        param: `{name: array}`.
        default_init: for names that are not in it.
        verbose: print where each value comes from.
    """

    def __init__(self, param, default_init=None, verbose=False):
        self.param = {re.sub(r"^(arg|aux):", "", name): value for name, value in param.items()}
        self.default_init = None if default_init is None else create(default_init)
        self.verbose = verbose

    def __call__(self, name, arr):
        found = self.param.get(str(name))
        if found is None and self.default_init is None:
            raise AssertionError(
                f"Load: no value for '{name}', and there is no default_init. Pass one of the two."
            )
        if found is None:
            self.default_init(str(name), arr)
        elif found.shape != arr.shape:
            raise AssertionError(f"Load: '{name}' has shape {arr.shape}, the loaded value {found.shape}.")
        else:
            fill(arr, getattr(found, "_data", found))
        if self.verbose:
            print(f"Initialized {name} {'by default' if found is None else 'from the loaded values'}")
