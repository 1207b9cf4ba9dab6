"""`gluon.contrib`, `contrib.text` and FusedRNN against MXNet 1.9.1, whose answers are stored."""

import sys
import warnings
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).parent / "contrib_answers"))

import contrib_cases as cases

import numblocks as mx
from numblocks.gluon.contrib.data import text

with numpy.load(cases.ANSWERS) as _file:
    STORED = dict(_file)


def wanted(name):
    """The parts of an answer in their order."""
    return [STORED[f"{name}.{k}"] for k in range(sum(key.rpartition(".")[0] == name for key in STORED))]


def check(name, found, **tolerance):
    answers = wanted(name)
    assert len(found) == len(answers) > 0
    for mine, answer in zip(found, answers, strict=True):
        if answer.dtype.kind == "U":
            assert mine.tolist() == answer.tolist()
        else:
            assert mine.shape == answer.shape
            numpy.testing.assert_allclose(mine, answer, **({"rtol": 2e-4, "atol": 2e-5} | tolerance))


def test_packed():
    check("packed", cases.packed(mx))


def test_vocabularies():
    check("vocabularies", cases.vocabularies(mx))


@pytest.mark.filterwarnings("ignore:text.embedding")
def test_embeddings(tmp_path):
    check("embeddings", cases.embeddings(mx, tmp_path))


def test_wikitext(tmp_path):
    (tmp_path / "wiki.train.tokens").write_text(cases.ARTICLE)
    made = text.WikiText2(root=tmp_path, seq_len=3)
    examples = [numpy.stack([part.asnumpy() for part in made[k]]) for k in range(len(made))]
    check("wikitext", [numpy.stack(examples), numpy.array(made.vocabulary.idx_to_token)])


def test_training(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check("training", cases.training(mx, tmp_path))
