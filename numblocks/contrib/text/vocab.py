"""`Vocabulary`: words and their numbers."""

from __future__ import annotations

from collections import Counter


class Vocabulary:
    """Numbers words: first the unknown one, then the reserved ones, then those of a text, frequent ones first.

    Words that are equally frequent are in the order of the alphabet.

    Args:
        counter: how often each word occurs; None for none.
        most_freq_count: take only so many of them, None for all.
        min_freq: take only words that occur so often.
        unknown_token: what stands for all others.
        reserved_tokens: words that have a number in any case, such as `'<pad>'`.

    Raises:
        AssertionError: `counter` is no Counter, a `min_freq` below 1, or reserved tokens that repeat each other or the
            unknown one.

    >>> words = Vocabulary(Counter('bandana'), min_freq=2, reserved_tokens=['<pad>'])
    >>> words.idx_to_token
    ['<unk>', '<pad>', 'a', 'n']
    >>> words.to_indices(['n', 'x'])
    [3, 0]
    """

    def __init__(
        self, counter=None, most_freq_count=None, min_freq=1, unknown_token="<unk>", reserved_tokens=None,
    ):  # fmt: skip
        if counter is not None and not isinstance(counter, Counter):
            raise AssertionError(
                f"Vocabulary: counter is a {type(counter).__name__}. `counter` must be an instance of"
                f" collections.Counter. Make it with text.utils.count_tokens_from_str or Counter(words)."
            )
        if min_freq < 1:
            raise AssertionError(f"Vocabulary: min_freq={min_freq}. `min_freq` must be set to a positive value.")
        reserved = [] if reserved_tokens is None else list(reserved_tokens)
        if unknown_token in reserved:
            raise AssertionError(
                f"Vocabulary: `reserved_tokens` cannot contain `unknown_token` {unknown_token!r}. It has a number"
                f" already. Leave it out."
            )
        if len(set(reserved)) != len(reserved):
            raise AssertionError(
                f"Vocabulary: `reserved_tokens` cannot contain duplicate reserved tokens, and is {reserved}. Each has"
                f" one number. Name each once."
            )
        self._unknown_token = unknown_token
        self._reserved_tokens = reserved if reserved_tokens is not None else None
        self._idx_to_token = [unknown_token, *reserved]
        taken = set(self._idx_to_token)
        words = sorted((word for word in counter or () if word not in taken), key=_order(counter))
        # The limit counts words of the text that were looked at, so one that is reserved does not use it up.
        words = [word for word in words if counter[word] >= min_freq]
        self._idx_to_token += words if most_freq_count is None else words[:most_freq_count]
        self._token_to_idx = {word: k for k, word in enumerate(self._idx_to_token)}

    def __len__(self) -> int:
        return len(self._idx_to_token)

    def __contains__(self, token) -> bool:
        return token in self._token_to_idx

    @property
    def token_to_idx(self) -> dict[str, int]:
        """The number of each word."""
        return self._token_to_idx

    @property
    def idx_to_token(self) -> list[str]:
        """The words in the order of their numbers."""
        return self._idx_to_token

    @property
    def unknown_token(self) -> str:
        """What stands for words that have no number."""
        return self._unknown_token

    @property
    def reserved_tokens(self) -> list[str] | None:
        """The words that were given a number in any case."""
        return self._reserved_tokens

    def to_indices(self, tokens):
        """The number of a word, or a list of numbers for a list of words; 0 for unknown ones."""
        if isinstance(tokens, (list, tuple)):
            return [self._token_to_idx.get(token, 0) for token in tokens]
        return self._token_to_idx.get(tokens, 0)

    def to_tokens(self, indices):
        """The word of a number, or a list of words for a list of numbers.

        Raises:
            ValueError: there is no such number.
        """
        if isinstance(indices, (list, tuple)):
            return [self._token(index) for index in indices]
        return self._token(indices)

    def _token(self, index) -> str:
        try:
            number = index.__index__()
        except AttributeError:
            number = -1
        if not 0 <= number < len(self):
            raise ValueError(
                f"Vocabulary: Token index {index!r} in the provided `indices` is invalid. The {len(self)} words are"
                f" numbered from 0. Pass whole numbers from 0 to {len(self) - 1}."
            )
        return self._idx_to_token[number]


def _order(counter):
    """Frequent words first, equally frequent ones by the alphabet."""
    return lambda word: (-counter[word], word)
