"""Gluon's public module of this name: counting words."""

from __future__ import annotations

import re
from collections import Counter


def count_tokens_from_str(
    source_str: str, token_delim: str = " ", seq_delim: str = "\n", to_lower: bool = False,
    counter_to_update: Counter | None = None,
) -> Counter:  # fmt: skip
    """How often each word occurs.

    Args:
        source_str: the text.
        token_delim, seq_delim: what stands between words and between sentences: regular expressions.
        to_lower: take capitals for small letters.
        counter_to_update: a Counter to add to; None for a new one.

    Returns:
        That Counter.

    >>> count_tokens_from_str('Life is good. \\n life is short.', to_lower=True)['life']
    2
    """
    words = (word for word in re.split(f"(?:{token_delim})|(?:{seq_delim})", source_str) if word)
    counter = Counter() if counter_to_update is None else counter_to_update
    counter.update(word.lower() if to_lower else word for word in words)
    return counter
