"""Word vectors in text files: one word and its numbers per line."""

from __future__ import annotations

from pathlib import Path

import numpy

from ...errors import warn
from ...gluon.progress import bar


def read_vectors(path, delimiter: str = " ", encoding: str = "utf8", wanted=None):
    """The words and vectors of a file.

    A line with a single number, such as the header of fastText's files, is passed over with a warning; so is the second
    vector of a word. A word may contain the delimiter, as some of GloVe's do.

    Args:
        path: the file.
        delimiter: what stands between word and numbers.
        encoding: of the file.
        wanted: a set of words, to read no others; None for all.

    Returns:
        A list of n words, an array `(n, width)` float32, and the width, 0 if the file has no vectors.

    Raises:
        ValueError: there is no such file.
        AssertionError: a line that is no word with numbers, or one with another count of them.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(
            f"text.embedding: there is no file '{path}'. `pretrained_file_path` must be a valid path to the pre-trained"
            f" token embedding file. Pass one."
        )
    words: dict[str, int] = {}
    vectors: list[numpy.ndarray] = []
    width, seen, repeated = 0, set(), []
    with (
        open(path, "rb") as file,
        bar(path.stat().st_size, f"reading {path.name}", "B", scale=True) as progress,
    ):
        for number, line in enumerate(file, 1):
            progress.update(len(line))
            parts = line.decode(encoding).rstrip("\r\n").rstrip(delimiter).split(delimiter)
            if parts == [""]:
                continue
            if len(parts) < 2:
                raise _unexpected(path, number, f"there is no {delimiter!r} in it")
            if len(parts) == 2 and width != 1:
                warn(
                    f"text.embedding: line {number} of '{path}' has one number. It is likely a header and is passed"
                    f" over.",
                )
                continue
            width = width or len(parts) - 1
            word = delimiter.join(parts[:-width])
            if not word or len(parts) <= width:
                raise _unexpected(path, number, f"it has {len(parts) - 1} numbers, the lines before have {width}")
            if word in seen:
                repeated.append(word)
                continue
            seen.add(word)
            if wanted is not None and word not in wanted:
                continue
            try:
                vectors.append(numpy.array(parts[-width:], "float32"))
            except ValueError as error:
                raise _unexpected(path, number, str(error)) from None
            words[word] = len(words)
    if repeated:
        warn(
            f"text.embedding: '{path}' has second vectors for {len(repeated)} words, such as {repeated[0]!r}. They are"
            f" passed over.",
        )
    table = numpy.stack(vectors) if vectors else numpy.zeros((0, width), "float32")
    return list(words), table, width


def _unexpected(path, number: int, why: str) -> AssertionError:
    return AssertionError(
        f"text.embedding: line {number} of '{path}' is unexpected: {why}. A line is a word and its numbers. Pass the"
        f" delimiter of the file as elem_delim=, or another file."
    )
