"""Writes answers.npz: run it with MXNet 1.9.1 (`python make.py`)."""

import tempfile
import warnings
from pathlib import Path

import contrib_cases as cases
import mxnet as mx
import numpy
from mxnet.gluon.contrib import data, estimator  # noqa: F401  attributes of mx.gluon.contrib
from mxnet.gluon.contrib.data import text


def wikitext(folder):
    """Examples and words of a small text."""
    text.check_sha1 = lambda *args: True  # the file is not the one on the server
    (folder / "wiki.train.tokens").write_text(cases.ARTICLE)
    made = text.WikiText2(root=str(folder), seq_len=3)
    examples = [numpy.stack([part.asnumpy() for part in made[k]]) for k in range(len(made))]
    return [numpy.stack(examples), numpy.array(made.vocabulary.idx_to_token)]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    answers = {"packed": cases.packed(mx), "vocabularies": cases.vocabularies(mx)}
    for name, call in (("embeddings", cases.embeddings), ("training", cases.training)):
        with tempfile.TemporaryDirectory() as folder:
            answers[name] = call(mx, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        answers["wikitext"] = wikitext(Path(folder))
    flat = {f"{name}.{k}": part for name, parts in answers.items() for k, part in enumerate(parts)}
    numpy.savez_compressed(cases.ANSWERS, **flat)
