"""Word vectors from files: your own, and several joined."""

from __future__ import annotations

import numpy

from ... import nd
from .token import TokenEmbedding
from .vocab import Vocabulary


def checked_vocabulary(where: str, vocabulary) -> Vocabulary:
    """`vocabulary`, if it is one; else `AssertionError`."""
    if not isinstance(vocabulary, Vocabulary):
        raise AssertionError(
            f"{where}: the argument `vocabulary` is a {type(vocabulary).__name__}. It must be an instance of"
            f" text.vocab.Vocabulary. Make one of a Counter."
        )
    return vocabulary


class CustomEmbedding(TokenEmbedding):
    """Word vectors from a text file, one word and its numbers per line.

    Args:
        pretrained_file_path: the file.
        elem_delim: what stands between word and numbers.
        encoding: of the file.
        init_unknown_vec: makes the vector of unknown words, called with `shape=`, if the file has none.
        vocabulary: take only the words of this Vocabulary, in its order; None for all of the file.
        kwargs: `unknown_token`, and others of Vocabulary.

    Raises:
        ValueError: there is no such file.
        AssertionError: a line that is no word with numbers.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / 'words.txt'
    >>> _ = path.write_text('hello 1 2 3\\nworld 4 5 6\\n')
    >>> words = CustomEmbedding(path)
    >>> words.to_indices('world'), words.vec_len
    (2, 3)
    """

    def __init__(
        self, pretrained_file_path, elem_delim=" ", encoding="utf8", init_unknown_vec=nd.zeros, vocabulary=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if vocabulary is not None:
            checked_vocabulary("CustomEmbedding", vocabulary)
        self._load(pretrained_file_path, elem_delim, init_unknown_vec, encoding, vocabulary)


class CompositeEmbedding(TokenEmbedding):
    """The words of a Vocabulary, each with its vectors from several embeddings, one behind the other.

    Args:
        vocabulary: the words.
        token_embeddings: one TokenEmbedding or a list.

    Raises:
        AssertionError: arguments of another kind.

    >>> CompositeEmbedding(words, [glove, fasttext]).vec_len                # doctest: +SKIP
    350
    """

    def __init__(self, vocabulary, token_embeddings):
        super().__init__()
        checked_vocabulary("CompositeEmbedding", vocabulary)
        listed = list(token_embeddings) if isinstance(token_embeddings, (list, tuple)) else [token_embeddings]
        for each in listed:
            if not isinstance(each, TokenEmbedding) or each.idx_to_vec is None:
                raise AssertionError(
                    f"CompositeEmbedding: got a {type(each).__name__}. The argument `token_embeddings` must be an"
                    f" instance or a list of instances of text.embedding.TokenEmbedding that hold vectors. Make them"
                    f" with create or CustomEmbedding."
                )
        self._index(vocabulary)
        self._set(
            numpy.concatenate([each.get_vecs_by_tokens(self._idx_to_token)._data for each in listed], axis=1)
        )
