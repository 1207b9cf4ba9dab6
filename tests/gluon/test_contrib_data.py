"""`gluon.contrib.data`: samplers and texts. WikiText's numbers are compared with MXNet's in test_contrib_answers."""

import doctest
import hashlib
import importlib
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numblocks import gluon
from numblocks.gluon.contrib.data import IntervalSampler, text
from numblocks.gluon.data import DataLoader

WORDS = "the cat sat on the mat . the dog ran .".split()


@pytest.mark.parametrize("name", ["sampler", "text"])
def test_examples(name):
    assert doctest.testmod(importlib.import_module(f"numblocks.gluon.contrib.data.{name}")).failed == 0


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))), st.booleans())
def test_intervals(sizes, rollover):
    length, interval = sizes
    sampler = IntervalSampler(length, interval, rollover)
    found = list(sampler)
    assert len(found) == len(sampler)
    every = sorted(range(length), key=lambda k: (k % interval, k))
    assert found == (every if rollover else [*range(0, length, interval)])


@pytest.mark.parametrize("interval", [0, 6])
def test_refused_intervals(interval):
    with pytest.raises(AssertionError, match="must be smaller than or equal to length 5"):
        IntervalSampler(5, interval)


def write(folder, **parts):
    for name, content in parts.items():
        (folder / f"wiki.{name}.tokens").write_text(content, encoding="utf8")


def test_pieces_of_text(tmp_path):
    write(tmp_path, train=" the  cat sat\n\n \non the mat . \n", valid="the bird sat .")
    made = text.WikiText2(tmp_path, seq_len=4)
    words = made.vocabulary.idx_to_token
    read = [[words[int(k)] for part in made[i] for k in part] for i in range(len(made))]
    written = "the cat sat <eos> on the mat . <eos>".split()
    assert read == [written[:4] + written[1:5], written[4:8] + written[5:9]]
    assert made.frequencies == {"the": 2, "cat": 1, "sat": 1, "on": 1, "mat": 1, ".": 1}
    assert words[:3] == ["<unk>", "<eos>", "the"]
    held_out = gluon.contrib.data.text.WikiText103(tmp_path, "validation", made.vocabulary, seq_len=4)
    assert held_out.vocabulary is made.vocabulary
    assert [words[int(k)] for k in held_out[0][0]] == ["the", "<unk>", "sat", "."]
    with pytest.raises(ValueError, match="has 5 words, too few for a piece of 5"):
        text.WikiText2(tmp_path, "validation", seq_len=5)
    with pytest.raises(KeyError, match="segment 'dev'"):
        text.WikiText2(tmp_path, "dev")
    with pytest.raises(ValueError, match="seq_len=0"):
        text.WikiText2(tmp_path, seq_len=0)


def test_batches_go_on_where_the_last_ended(tmp_path):
    write(tmp_path, train=" ".join(WORDS * 5))
    made = text.WikiText2(tmp_path, seq_len=3)
    rows = len(made)
    loader = DataLoader(made, batch_size=2, sampler=IntervalSampler(rows - rows % 2, (rows - rows % 2) // 2))
    batches = [(x.asnumpy(), y.asnumpy()) for x, y in loader]
    for (x, y), (after, _) in zip(batches, batches[1:], strict=False):
        assert (x[:, 1:] == y[:, :-1]).all() and (y[:, -1] == after[:, 0]).all()


def test_archive_is_fetched(tmp_path, monkeypatch):
    away, home = tmp_path / "away" / "wikitext-2", tmp_path / "home"
    away.mkdir(parents=True)
    with zipfile.ZipFile(away / "wikitext-2-v1.zip", "w") as file:
        file.writestr("wikitext-2/wiki.test.tokens", " ".join(WORDS))
    monkeypatch.setattr(text.WikiText2, "_address", (tmp_path / "away").as_uri() + "/")
    monkeypatch.setenv("MXNET_HOME", str(home))
    with pytest.raises(OSError, match="SHA-1"):
        text.WikiText2(segment="test", seq_len=2)
    assert list((home / "datasets" / "wikitext-2").iterdir()) == []
    sha1 = hashlib.sha1((away / "wikitext-2-v1.zip").read_bytes()).hexdigest()
    monkeypatch.setattr(text.WikiText2, "_sha1", sha1)
    assert len(text.WikiText2(segment="test", seq_len=2)) == 5
    with pytest.raises(OSError, match="holds no 'wiki.train.tokens'"):
        text.WikiText2()
