"""`TokenEmbedding`, the base of all word vectors, and the registry of those that can be made by name."""

from __future__ import annotations

import numpy

from ... import nd
from ...array import ndarray, wrap
from ...device import cpu
from .reading import read_vectors
from .vocab import Vocabulary

_registry: dict[str, type] = {}


def register(embedding_cls):
    """Class decorator: makes a TokenEmbedding known to `create` by its lower-case class name.

    Raises:
        AssertionError: no subclass of TokenEmbedding.

    >>> @register
    ... class MyWords(TokenEmbedding):
    ...     pass
    >>> isinstance(create('mywords'), MyWords)
    True
    """
    if not (isinstance(embedding_cls, type) and issubclass(embedding_cls, TokenEmbedding)):
        raise AssertionError(
            f"embedding.register: got {embedding_cls!r}. Can only register subclass of TokenEmbedding. Derive it from"
            f" that."
        )
    _registry[embedding_cls.__name__.lower()] = embedding_cls
    return embedding_cls


def create(embedding_name: str, **kwargs) -> TokenEmbedding:
    """Word vectors from the name of their class, in any case, such as `'glove'`.

    Args:
        kwargs: as the class takes them.

    Raises:
        AssertionError: no class has this name.

    >>> create('glove', pretrained_file_name='glove.6B.50d.txt')              # doctest: +SKIP
    """
    klass = _registry.get(embedding_name.lower())
    if klass is None:
        raise AssertionError(
            f"embedding.create: {embedding_name} is not registered. The names are {', '.join(sorted(_registry))}. Use"
            f" one of these, or register your class first."
        )
    return klass(**kwargs)


def get_pretrained_file_names(embedding_name: str | None = None):
    """The files that `create` can read or fetch, of one kind, or of all as a dict.

    Raises:
        KeyError: no kind has this name.

    >>> get_pretrained_file_names('glove')[1]
    'glove.6B.50d.txt'
    """
    known = {name: list(klass.files) for name, klass in _registry.items() if klass.files}
    if embedding_name is None:
        return known
    if embedding_name not in known:
        raise KeyError(
            f"embedding.get_pretrained_file_names: Cannot find `embedding_name` {embedding_name}. Use one of"
            f" {', '.join(sorted(known))}."
        )
    return known[embedding_name]


class TokenEmbedding(Vocabulary):
    """A Vocabulary with a vector for each word.

    Args:
        unknown_token: what stands for all other words; its vector is the file's, or what `init_unknown_vec` makes.

    >>> TokenEmbedding().to_indices('any')
    0
    """

    files: tuple[str, ...] = ()
    """The files of this kind that can be fetched."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._idx_to_vec = None
        self._vec_len = 0

    # ---- filling --------------------

    def _load(self, path, delimiter, init_unknown_vec, encoding, vocabulary) -> None:
        """Words and vectors from a file: all of it, or those of `vocabulary`."""
        unknown = self._unknown_token
        wanted = None if vocabulary is None else {*vocabulary.idx_to_token, unknown}
        words, vectors, width = read_vectors(path, delimiter, encoding, wanted)
        if not width:
            raise AssertionError(
                f"{type(self).__name__}: '{path}' holds no vectors. There is nothing to make the embedding of. Pass"
                f" another file."
            )
        row = {word: k for k, word in enumerate(words)}
        first = vectors[row[unknown]] if unknown in row else numpy.asarray(_host(init_unknown_vec(shape=width)))
        if vocabulary is not None:
            self._index(vocabulary)
        else:
            self._idx_to_token += [word for word in words if word not in self._token_to_idx]
            self._token_to_idx = {word: k for k, word in enumerate(self._idx_to_token)}
        table = numpy.empty((len(self), width), "float32")
        table[:] = first
        # Number 0 stands for unknown words, also where a vocabulary calls it by a word that the file knows.
        places = [k for k, word in enumerate(self._idx_to_token) if k and word in row]
        table[places] = vectors[[row[self._idx_to_token[k]] for k in places]]
        self._set(table)

    def _index(self, vocabulary: Vocabulary) -> None:
        """Take over the words of a vocabulary."""
        self._token_to_idx = dict(vocabulary.token_to_idx)
        self._idx_to_token = list(vocabulary.idx_to_token)
        self._unknown_token = vocabulary.unknown_token
        self._reserved_tokens = None if vocabulary.reserved_tokens is None else list(vocabulary.reserved_tokens)

    def _set(self, table: numpy.ndarray) -> None:
        self._idx_to_vec = wrap(numpy.ascontiguousarray(table, "float32"), cpu(), nd.NDArray)
        self._vec_len = table.shape[1]

    # ---- reading --------------------

    @property
    def vec_len(self) -> int:
        """The length of the vectors."""
        return self._vec_len

    @property
    def idx_to_vec(self) -> ndarray | None:
        """The vectors in the order of the numbers, `(words, vec_len)` float32."""
        return self._idx_to_vec

    def get_vecs_by_tokens(self, tokens, lower_case_backup: bool = False) -> ndarray:
        """The vector of a word, `(vec_len,)`, or of a list of words, `(n, vec_len)`; unknown ones have that of the
        unknown token.

        Args:
            tokens: a word or a list.
            lower_case_backup: look for unknown words in small letters too.
        """
        single = not isinstance(tokens, (list, tuple))
        numbers = [self._number(token, lower_case_backup) for token in ([tokens] if single else tokens)]
        rows = self._idx_to_vec._data[numbers] if numbers else numpy.zeros((0, self._vec_len), "float32")
        return wrap(rows[0].copy() if single else rows, cpu(), type(self._idx_to_vec))

    def _number(self, token: str, lower: bool) -> int:
        found = self._token_to_idx.get(token)
        if found is None and lower:
            found = self._token_to_idx.get(token.lower())
        return 0 if found is None else found

    def update_token_vectors(self, tokens, new_vectors) -> None:
        """Change the vectors of a word, or of a list of words.

        Args:
            tokens: a word or a list; the unknown token under its own name.
            new_vectors: `(vec_len,)` or `(1, vec_len)` for one word, else `(n, vec_len)`.

        Raises:
            ValueError: a word that has no vector.
            AssertionError: the vectors have another shape.
        """
        listed = list(tokens) if isinstance(tokens, (list, tuple)) else [tokens]
        vectors = numpy.asarray(_host(new_vectors), "float32")
        if vectors.ndim == 1 and len(listed) == 1:
            vectors = vectors[None]
        if vectors.shape != (len(listed), self._vec_len):
            raise AssertionError(
                f"update_token_vectors: `new_vectors` have shape {vectors.shape}. There is one vector of length"
                f" {self._vec_len} for each of {len(listed)} words. Pass ({len(listed)}, {self._vec_len})."
            )
        for token in listed:
            if token not in self._token_to_idx:
                raise ValueError(
                    f"update_token_vectors: Token {token} is unknown. It shares the vector of all unknown words, which"
                    f" should not change unnoticed. To change that one, name the `unknown_token`"
                    f" {self._unknown_token!r}."
                )
        self._idx_to_vec._data[[self._token_to_idx[token] for token in listed]] = vectors


def _host(values):
    return values.asnumpy() if isinstance(values, ndarray) else values


_TokenEmbedding = TokenEmbedding  # its name in MXNet 1.x, from which user code derives
