"""Downloads from a server on this machine: checked, resumed, retried, and clear when there is no network."""

import functools
import hashlib
import http.server
import io
import sys
import threading

import pytest

from numblocks.gluon.utils import check_sha1, download

BODY = bytes(range(256)) * 40
BOTH = threading.Barrier(2)
SHA1 = hashlib.sha1(BODY).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, seen, *args):
        self.seen = seen
        super().__init__(*args)

    def do_GET(self):
        self.seen.append((self.path, self.headers.get("Range")))
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/shaky" and len(self.seen) == 1:
            self.send_error(503)
            return
        begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if self.path == "/whole":
            begin = 0
        if begin > len(BODY):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(BODY) - begin))
        self.end_headers()
        if self.path == "/together":
            self.wfile.write(BODY[:4000])
            self.wfile.flush()
            BOTH.wait(30)
            begin = 4000
        # the first answer for /cut breaks off half way
        self.wfile.write(BODY[begin:5000] if self.path == "/cut" and len(self.seen) == 1 else BODY[begin:])

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    seen = []
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, seen))
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}", seen
    httpd.shutdown()
    httpd.server_close()


def test_checked_and_kept(server, tmp_path):
    url, seen = server
    path = download(url + "/data.bin", tmp_path, sha1_hash=SHA1)
    assert path == str(tmp_path / "data.bin") and check_sha1(path, SHA1)
    download(url + "/data.bin", tmp_path, sha1_hash=SHA1)
    assert len(seen) == 1
    (tmp_path / "data.bin").write_bytes(b"damaged")
    download(url + "/data.bin", tmp_path, sha1_hash=SHA1)
    assert len(seen) == 2 and (tmp_path / "data.bin").read_bytes() == BODY
    download(url + "/data.bin", tmp_path, overwrite=True)
    assert len(seen) == 3


def test_resumed_after_a_cut(server, tmp_path):
    url, seen = server
    assert open(download(url + "/cut", tmp_path / "deep" / "f", sha1_hash=SHA1), "rb").read() == BODY
    assert seen == [("/cut", None), ("/cut", "bytes=5000-")]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["f"]


def test_retried(server, tmp_path):
    url, seen = server
    download(url + "/shaky", tmp_path / "f")
    assert len(seen) == 2


def test_refusals(server, tmp_path):
    url, seen = server
    with pytest.raises(OSError, match="404"):
        download(url + "/missing", tmp_path / "f")
    assert len(seen) == 1
    with pytest.raises(OSError, match="SHA-1"):
        download(url + "/x", tmp_path / "f", sha1_hash="0" * 40, retries=1)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="by hand"):
        download("http://127.0.0.1:9/nothing", tmp_path / "f", retries=0)
    with pytest.raises(ValueError, match="names no file"):
        download("http://127.0.0.1:9/", tmp_path)


def test_a_server_that_cannot_resume(server, tmp_path):
    url, seen = server
    (tmp_path / "f.part").write_bytes(b"stale" * 100)
    assert open(download(url + "/whole", tmp_path / "f", sha1_hash=SHA1), "rb").read() == BODY
    assert seen == [("/whole", "bytes=500-")]


def test_resumed_from_the_wrong_bytes_is_begun_anew(server, tmp_path):
    url, seen = server
    (tmp_path / "f.part").write_bytes(b"stale" * 100)
    assert open(download(url + "/data", tmp_path / "f", sha1_hash=SHA1), "rb").read() == BODY
    assert seen == [("/data", "bytes=500-"), ("/data", None)]
    (tmp_path / "g.part").write_bytes(BODY + b"more")  # nothing after it: status 416
    assert open(download(url + "/data", tmp_path / "g", sha1_hash=SHA1), "rb").read() == BODY
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f", "g"]


def test_a_file_that_is_there_survives_a_failure(server, tmp_path):
    url, _ = server
    (tmp_path / "f").write_bytes(b"mine")
    for address, wanted in (("/missing", "404"), ("/data", "SHA-1")):
        with pytest.raises(OSError, match=wanted):
            download(url + address, tmp_path / "f", overwrite=True, sha1_hash="0" * 40, retries=0)
        assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("f", b"mine")]


def test_an_interrupted_call_is_resumed_if_the_whole_can_be_checked(server, tmp_path, monkeypatch):
    url, seen = server
    for checksum, begin in ((SHA1, "bytes=5000-"), (None, None)):
        seen.clear()
        with pytest.raises(OSError, match="ended after 5000 of 10240 bytes"):
            download(url + "/cut", tmp_path / "f", sha1_hash=checksum, retries=0)
        assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("f.part", BODY[:5000])]
        assert open(download(url + "/cut", tmp_path / "f", sha1_hash=checksum), "rb").read() == BODY
        assert seen[1:] == [("/cut", begin)] and [p.name for p in tmp_path.iterdir()] == ["f"]
        (tmp_path / "f").unlink()


def test_two_at_once(server, tmp_path):
    """Both are half way at the same time, and neither writes into the other's file."""
    url, seen = server
    failures = []

    def fetch_it():
        try:
            download(url + "/together", tmp_path / "f", overwrite=True, retries=0)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=fetch_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == [] and len(seen) == 2
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("f", BODY)]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_on_a_terminal_only(server, tmp_path, monkeypatch):
    url, _ = server
    for stream, seen in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        download(url + "/cut", tmp_path / f"file{seen}", sha1_hash=SHA1)
        assert ("/10.2k" in stream.getvalue()) is seen and bool(stream.getvalue()) is seen
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert open(download(url + "/data", tmp_path / "silent"), "rb").read() == BODY
