"""Vocabularies and word vectors. Numbers are compared with MXNet's in gluon/test_contrib_answers."""

import doctest
import functools
import hashlib
import http.server
import importlib
import pkgutil
import threading
import warnings
import zipfile
from collections import Counter

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numblocks
from numblocks import contrib, nd, np
from numblocks.contrib import text
from numblocks.contrib.text import embedding, vocab
from numblocks.contrib.text.pretrained import FastText, GloVe

WORDS = st.lists(st.text("abcdé <", min_size=1, max_size=3), max_size=30)


@pytest.mark.parametrize(
    "name", [m.name for m in pkgutil.walk_packages(contrib.__path__, "numblocks.contrib.")] + ["numblocks.contrib"]
)
def test_examples(name):
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(module, globs=vars(module) | {"np": np}):
        runner.run(example)
    assert runner.failures == 0


def test_reachable_as_mxnet_code_does():
    assert numblocks.contrib.text.vocab.Vocabulary is vocab.Vocabulary
    assert numblocks.contrib.nd.MultiBoxPrior is nd.contrib.MultiBoxPrior
    assert contrib.ndarray is contrib.nd


def test_counting():
    count = text.utils.count_tokens_from_str
    assert count(" a  b\na\n") == {"a": 2, "b": 1}
    assert count("A a", to_lower=True) == {"a": 2}
    assert count("a1b22c", token_delim=r"\d+") == {"a": 1, "b": 1, "c": 1}
    assert count("a,b;c", token_delim=",|-", seq_delim=";") == {"a": 1, "b": 1, "c": 1}
    known = Counter("a")
    assert count("a b", counter_to_update=known) is known and known == {"a": 2, "b": 1}


@given(WORDS, st.integers(1, 3), st.none() | st.integers(0, 5), st.sets(st.sampled_from("ab<pad>".split() + ["b"])))
def test_vocabulary(words, min_freq, most, reserved):
    counter = Counter(words)
    made = vocab.Vocabulary(counter, most, min_freq, reserved_tokens=sorted(reserved))
    listed = made.idx_to_token
    assert len(set(listed)) == len(listed) == len(made)
    assert listed[: 1 + len(reserved)] == ["<unk>", *sorted(reserved)]
    rest = listed[1 + len(reserved) :]
    allowed = {w for w, n in counter.items() if n >= min_freq} - reserved - {"<unk>"}
    assert set(rest) <= allowed and len(rest) == min(len(allowed), len(allowed) if most is None else most)
    assert rest == sorted(rest, key=lambda w: (-counter[w], w))
    left = allowed - set(rest)
    assert all(counter[w] <= counter[rest[-1]] for w in left if rest)
    assert made.to_tokens(made.to_indices(listed)) == listed
    assert made.to_indices(["no such word", *listed[:1]]) == [0, 0]
    assert all(word in made for word in listed)


def test_vocabulary_refusals():
    for arguments, words in (
        ({"counter": ["a"]}, "must be an instance of collections.Counter"),
        ({"min_freq": 0}, "positive"),
        ({"reserved_tokens": ["<unk>"]}, "cannot contain `unknown_token`"),
        ({"reserved_tokens": ["a", "a"]}, "duplicate reserved tokens"),
    ):
        with pytest.raises(AssertionError, match=words):
            vocab.Vocabulary(**arguments)
    made = vocab.Vocabulary(Counter("ab"))
    for index in (3, -1, 1.0, "a", [0, 9]):
        with pytest.raises(ValueError, match="Token index"):
            made.to_tokens(index)
    assert made.to_tokens(numpy.int64(1)) == "a"


# ---- vectors --------------------


def write(path, content):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_formats_of_files(tmp_path):
    windows = write(tmp_path / "w.txt", "a 1 2 \r\nb 3 4 \r\n\r\n")
    made = embedding.CustomEmbedding(windows)
    assert made.idx_to_token == ["<unk>", "a", "b"] and made.idx_to_vec.asnumpy()[2].tolist() == [3, 4]
    tabs = write(tmp_path / "t.txt", "a b\t1\t2\nc\t3\t4\n")
    assert embedding.CustomEmbedding(tabs, elem_delim="\t").to_indices("a b") == 1
    latin = write(tmp_path / "l.txt", "é 1 2\n".encode("latin1"))
    assert "é" in embedding.CustomEmbedding(latin, encoding="latin1")
    # GloVe's largest file has words with spaces
    spaces = write(tmp_path / "s.txt", "x 1 2\n. . . 3 4\n")
    assert embedding.CustomEmbedding(spaces).get_vecs_by_tokens(". . .").asnumpy().tolist() == [3, 4]


@pytest.mark.parametrize(
    "content, error, words",
    [
        ("a 1 2\nb 3 four\n", AssertionError, "line 2 .* could not convert"),
        ("a 1 2\nb\n", AssertionError, "line 2 .* there is no ' ' in it"),
        ("a 1 2 3\nb 1 2\n", AssertionError, "line 2 .* has 2 numbers, the lines before have 3"),
        ("", AssertionError, "holds no vectors"),
    ],
)
def test_unexpected_files(tmp_path, content, error, words):
    with pytest.raises(error, match=words):
        embedding.CustomEmbedding(write(tmp_path / "v.txt", content))
    with pytest.raises(ValueError, match="must be a valid path"):
        embedding.CustomEmbedding(tmp_path / "none.txt")


def test_warnings_of_a_file(tmp_path):
    path = write(tmp_path / "v.vec", "2 3\na 1 2 3\na 4 5 6\nb 1 1 1\nb 2 2 2\n")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        made = embedding.CustomEmbedding(path)
    assert [str(w.message).partition("' ")[2][:14] for w in found] == ["has one number", "has second vec"]
    assert all(w.filename == __file__ for w in found)
    assert made.get_vecs_by_tokens(["a", "b"]).asnumpy().tolist() == [[1, 2, 3], [1, 1, 1]]


def test_vectors_of_unknown_words(tmp_path):
    path = write(tmp_path / "v.txt", "a 1 2\n")
    made = embedding.CustomEmbedding(path, init_unknown_vec=nd.ones)
    assert made.get_vecs_by_tokens("nothing").asnumpy().tolist() == [1, 1]
    made = embedding.CustomEmbedding(path, init_unknown_vec=lambda shape: numpy.full(shape, 3.0))
    assert made.idx_to_vec.asnumpy().tolist() == [[3, 3], [1, 2]]
    words = vocab.Vocabulary(Counter("b"), unknown_token="a")
    assert embedding.CustomEmbedding(path, vocabulary=words).idx_to_vec.asnumpy().tolist() == [[0, 0], [0, 0]]


def test_a_vector_that_was_read_is_ones_own(tmp_path):
    made = embedding.CustomEmbedding(write(tmp_path / "v.txt", "a 1 2\n"))
    one = made.get_vecs_by_tokens("a")
    one[:] = 9
    assert made.get_vecs_by_tokens("a").asnumpy().tolist() == [1, 2]
    assert type(one) is nd.NDArray and made.get_vecs_by_tokens([]).shape == (0, 2)
    assert float(np.dot(made.idx_to_vec, np.array([1.0, 1.0]))[1]) == 3


def test_updates(tmp_path):
    made = embedding.CustomEmbedding(write(tmp_path / "v.txt", "a 1 2\nb 3 4\n"))
    made.update_token_vectors("a", nd.array([[5, 6]]))
    made.update_token_vectors(["b"], [7, 8])
    made.update_token_vectors("<unk>", np.array([1.0, 1.0]))
    assert made.idx_to_vec.asnumpy().tolist() == [[1, 1], [5, 6], [7, 8]]
    with pytest.raises(ValueError, match="Token c is unknown"):
        made.update_token_vectors(["a", "c"], nd.zeros((2, 2)))
    for tokens, shape in (("a", (3,)), (["a", "b"], (2,)), (["a", "b"], (1, 2))):
        with pytest.raises(AssertionError, match="have shape"):
            made.update_token_vectors(tokens, nd.zeros(shape))
    assert made.idx_to_vec.asnumpy().tolist() == [[1, 1], [5, 6], [7, 8]]


def test_embedding_layer(tmp_path):
    made = embedding.CustomEmbedding(write(tmp_path / "v.txt", "a 1 2\nb 3 4\n"))
    layer = numblocks.gluon.nn.Embedding(len(made), made.vec_len)
    layer.initialize()
    layer.weight.set_data(made.idx_to_vec)
    assert layer(np.array(made.to_indices(["b", "?"]))).asnumpy().tolist() == [[3, 4], [0, 0]]


def test_registry(monkeypatch):
    monkeypatch.setattr(numblocks.contrib.text.token, "_registry", dict(numblocks.contrib.text.token._registry))

    @embedding.register
    class Mine(embedding._TokenEmbedding):
        def __init__(self, number):
            super().__init__()
            self.number = number

    assert embedding.create("MINE", number=3).number == 3
    assert sorted(embedding.get_pretrained_file_names()) == ["fasttext", "glove"]
    assert len(embedding.get_pretrained_file_names("fasttext")) == 327
    assert "wiki.simple.vec" in embedding.get_pretrained_file_names("fasttext")
    with pytest.raises(AssertionError, match="is not registered"):
        embedding.create("word2vec")
    with pytest.raises(AssertionError, match="Can only register subclass"):
        embedding.register(int)
    with pytest.raises(KeyError, match="Cannot find `embedding_name`"):
        embedding.get_pretrained_file_names("word2vec")
    with pytest.raises(KeyError, match="Cannot find pretrained file"):
        embedding.create("glove", pretrained_file_name="glove.txt")
    with pytest.raises(AssertionError, match="`vocabulary`"):
        embedding.create("glove", pretrained_file_name="glove.6B.50d.txt", vocabulary={})
    for wrong in ([3], embedding.TokenEmbedding()):
        with pytest.raises(AssertionError, match="`token_embeddings`"):
            embedding.CompositeEmbedding(vocab.Vocabulary(), wrong)
    with pytest.raises(AssertionError, match="`vocabulary`"):
        embedding.CompositeEmbedding({}, [])


# ---- published vectors --------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{httpd.server_port}/{{archive}}"
    httpd.shutdown()
    httpd.server_close()


def packed(path, packing=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return hashlib.sha1(path.read_bytes()).hexdigest()


def test_fetched_and_checked(server, tmp_path, monkeypatch):
    folder, address = server
    members = {"glove.6B.50d.txt": "a 1 2\n", "inner/glove.6B.100d.txt": "a 1 2 3\n"}
    sha1 = packed(folder / "glove.6B.zip", **members)
    monkeypatch.setattr(GloVe, "addresses", ("http://127.0.0.1:9/{archive}", address))
    monkeypatch.setattr(GloVe, "checksums", {"glove.6B.zip": sha1})
    monkeypatch.setenv("MXNET_HOME", str(tmp_path / "home"))
    made = embedding.create("glove", pretrained_file_name="glove.6B.50d.txt")
    assert made.vec_len == 2 and made.to_indices("a") == 1
    (folder / "glove.6B.zip").unlink()  # the second file is in the archive that is there
    assert GloVe("glove.6B.100d.txt").vec_len == 3
    here = tmp_path / "home" / "embeddings" / "glove"
    assert sorted(p.name for p in here.iterdir()) == ["glove.6B.100d.txt", "glove.6B.50d.txt", "glove.6B.zip"]
    with pytest.raises(OSError, match="holds no 'glove.6B.200d.txt'"):
        GloVe("glove.6B.200d.txt")
    with pytest.raises(OSError, match="could not be fetched"):
        GloVe("glove.42B.300d.txt")
    assert len(list(here.iterdir())) == 3


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_wrong_or_damaged_archives_leave_nothing(server, tmp_path, monkeypatch, packing):
    folder, address = server
    packed(folder / "glove.6B.zip", **{"glove.6B.50d.txt": "a 1 2\n"})
    monkeypatch.setattr(GloVe, "addresses", (address,))
    with pytest.raises(OSError, match="its SHA-1 is not"):
        GloVe("glove.6B.50d.txt", embedding_root=tmp_path / "here")
    assert list((tmp_path / "here" / "glove").iterdir()) == []
    packed(folder / "wiki.simple.zip", packing, **{"wiki.simple.vec": "a 1 2\n" * 100})
    raw = bytearray((folder / "wiki.simple.zip").read_bytes())
    raw[50] ^= 255  # within the packed bytes
    (folder / "wiki.simple.zip").write_bytes(raw)
    monkeypatch.setattr(FastText, "addresses", (address,))
    with pytest.raises(OSError, match="wiki.simple.zip' is damaged"):
        FastText(embedding_root=tmp_path / "here")
    assert [p.name for p in (tmp_path / "here" / "fasttext").iterdir()] == ["wiki.simple.zip"]


def test_local_files_need_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(FastText, "addresses", ())
    (tmp_path / "fasttext").mkdir()
    write(tmp_path / "fasttext" / "wiki.simple.vec", "1 2\nthe 1 2\na 3 4\n")
    words = vocab.Vocabulary(Counter(["a", "b"]))
    with pytest.warns(UserWarning, match="header"):
        made = FastText(embedding_root=tmp_path, vocabulary=words)
    assert made.idx_to_token == ["<unk>", "a", "b"] and made.idx_to_vec.asnumpy().tolist() == [[0, 0], [3, 4], [0, 0]]
