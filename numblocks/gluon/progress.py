"""Progress bars: tqdm's where it is installed and somebody watches, silence otherwise."""

from __future__ import annotations

import contextlib
import sys


class Silent:
    """A bar that shows nothing, for machines without tqdm."""

    disable = True

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def update(self, n: int = 1) -> None:
        """Count on."""

    def set_description(self, text: str | None = None, refresh: bool = True) -> None:
        """Change the text before the bar."""

    def set_postfix_str(self, text: str = "", refresh: bool = True) -> None:
        """Change the text behind the bar."""

    def close(self) -> None:
        """End it."""


def bar(
    total: int | None = None, description: str = "", unit: str = "it", scale: bool = False, initial: int = 0, **more
):  # fmt: skip
    """A progress bar on standard error, shown only on a terminal.

    Args:
        total: how many steps there are, None if nobody knows.
        description: the text before it.
        unit: what a step is; `scale` counts them in thousands.
        initial: steps done already.
        more: further arguments of `tqdm.tqdm`.

    Returns:
        Something with `update(n)`, `set_postfix_str(text)` and `close()`; a context manager.

    >>> with bar(3, 'reading', 'line') as progress:
    ...     progress.update()
    """
    if sys.stderr is None:  # pythonw has none
        return Silent()
    try:
        from tqdm import tqdm  # optional here: it shows what happens, and nothing depends on it
    except ImportError:
        return Silent()
    # disable=None: shown on a terminal only
    more = {"disable": None, "leave": False, "dynamic_ncols": True} | more
    return tqdm(total=total, desc=description, unit=unit, unit_scale=scale, initial=initial, **more)


def lines_above(shown, logger):
    """A context in which the lines of `logger` are printed above the bar `shown`, so that neither cuts the other."""
    if shown.disable:
        return contextlib.nullcontext()
    from tqdm.contrib.logging import logging_redirect_tqdm

    return logging_redirect_tqdm(loggers=[logger])
