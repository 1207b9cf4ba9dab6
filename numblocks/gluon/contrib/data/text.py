"""Text for language models: WikiText, read from local files or fetched."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy

from ....array import wrap
from ....contrib.text.vocab import Vocabulary
from ....device import cpu
from ...data import Dataset
from ...download import fetch_member
from ...progress import bar

END = "<eos>"


class _WikiText(Dataset):
    """A long text as pieces of `seq_len` words, each with the words that follow."""

    _namespace = ""
    _sha1 = ""
    _address = "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/dataset/"
    _files = {"train": "wiki.train.tokens", "validation": "wiki.valid.tokens", "test": "wiki.test.tokens"}

    def __init__(self, root=None, segment="train", vocab=None, seq_len=35):
        kind = type(self).__name__
        if segment not in self._files:
            raise KeyError(f"{kind}: segment {segment!r} is unknown. Use one of {', '.join(map(repr, self._files))}.")
        if seq_len < 1:
            raise ValueError(f"{kind}: seq_len={seq_len}. A piece has at least one word. Pass 1 or more.")
        home = os.environ.get("MXNET_HOME") or os.path.join("~", ".mxnet")
        self._root = Path(os.path.join(home, "datasets", self._namespace) if root is None else root).expanduser()
        self._segment, self._seq_len = segment, seq_len
        archive = f"{self._namespace}-v1.zip"
        url = f"{self._address}{self._namespace}/{archive}"
        path = fetch_member(kind, [url], self._root / self._files[segment], archive, self._sha1)
        words = self._words(path)
        self._counter = Counter(word for word in words if word != END)
        self._vocab = Vocabulary(self._counter, reserved_tokens=[END]) if vocab is None else vocab
        numbers = numpy.array(self._vocab.to_indices(words), "int32")
        count = max(0, len(numbers) - 1) // seq_len
        if not count:
            raise ValueError(
                f"{kind}: '{path}' has {len(words)} words, too few for a piece of {seq_len} and its successor. The file"
                f" is cut off or another one. Pass a smaller seq_len, or delete it to fetch it again."
            )
        self._data = numbers[: count * seq_len].reshape(count, seq_len)
        self._label = numbers[1 : count * seq_len + 1].reshape(count, seq_len)

    def _words(self, path: Path) -> list[str]:
        """The words of all lines that have some, each line with an end."""
        words: list[str] = []
        with (
            open(path, encoding="utf8") as file,
            bar(path.stat().st_size, f"reading {path.name}", "B", scale=True) as progress,
        ):
            for line in file:
                if found := line.split():
                    words += found
                    words.append(END)
                progress.update(len(line))
        return words

    @property
    def vocabulary(self) -> Vocabulary:
        """The words and their numbers."""
        return self._vocab

    @property
    def frequencies(self) -> Counter:
        """How often each word occurs."""
        return self._counter

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, idx):
        return wrap(self._data[idx], cpu()), wrap(self._label[idx], cpu())

    def _rows(self, indices):
        chosen = numpy.asarray(indices)
        return [wrap(self._data[chosen], cpu()), wrap(self._label[chosen], cpu())]


class WikiText2(_WikiText):
    """Two million words of good and featured Wikipedia articles, for language models.

    An example is `(data, label)`, two int32 arrays of `seq_len` word numbers; label is data one word later. Each line
    of the text ends with `<eos>`. Files of the names `wiki.train.tokens`, `wiki.valid.tokens` and `wiki.test.tokens`
    are read from `root`; what is not there is fetched.

    Source: S. Merity, C. Xiong, J. Bradbury, R. Socher, arXiv:1609.07843. Licence of the text: CC BY-SA 3.0.

    Args:
        root: the folder; None for `datasets/wikitext-2` in MXNET_HOME or `~/.mxnet`.
        segment: 'train', 'validation' or 'test'.
        vocab: a `contrib.text.vocab.Vocabulary`; None to make one of this segment's words. For validation and test pass
            the one of the training part.
        seq_len: words in an example.

    Raises:
        KeyError: an unknown segment.
        OSError: the file is missing and cannot be fetched.

    >>> WikiText2('corpus', seq_len=20)[0][0].shape                        # doctest: +SKIP
    (20,)
    """

    _namespace, _sha1 = "wikitext-2", "3c914d17d80b1459be871a5039ac23e752a53cbe"


class WikiText103(_WikiText):
    """A hundred million words, otherwise as `WikiText2`.

    Args:
        root, segment, vocab, seq_len: as of WikiText2.

    >>> WikiText103('corpus', 'test', vocab)                               # doctest: +SKIP
    """

    _namespace, _sha1 = "wikitext-103", "0aec09a7537b58d4bb65362fee27650eeaba625a"
