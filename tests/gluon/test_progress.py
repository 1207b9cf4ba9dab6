"""Progress bars: where they are shown, and that nothing needs them."""

import io
import logging
import sys

from numblocks.gluon.data import SimpleDataset
from numblocks.gluon.progress import Silent, bar, lines_above


class Terminal(io.StringIO):
    def isatty(self):
        return True


def count(**more):
    with bar(3, "reading", "line", **more) as shown:
        for _ in range(3):
            shown.update()
        shown.set_description("done")
        shown.set_postfix_str("all of it")
    return shown


def test_shown_on_a_terminal_only(monkeypatch):
    for stream, seen in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        count(mininterval=0)
        assert ("reading" in stream.getvalue()) is seen
        assert bool(stream.getvalue()) is seen


def test_silent_without_tqdm_or_a_stream(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert isinstance(count(), Silent)
    monkeypatch.undo()
    monkeypatch.setattr(sys, "stderr", None)
    assert isinstance(count(), Silent)
    monkeypatch.undo()
    assert capsys.readouterr() == ("", "")


def test_lines_stand_above_the_bar():
    stream, logger = io.StringIO(), logging.Logger("here")
    own = logging.StreamHandler(stream)
    logger.addHandler(own)
    with bar(2, "work", disable=False, file=stream) as shown, lines_above(shown, logger):
        logger.info("one line")
        assert logger.handlers != [own]
    assert logger.handlers == [own] and "one line\n" in stream.getvalue().replace("\r", "\n")
    with lines_above(Silent(), logger):
        assert logger.handlers == [own]


def test_preparing_a_dataset(monkeypatch):
    slow = SimpleDataset([1, 2, 3])
    at_once = lambda *args, delay, **more: bar(*args, **more, mininterval=0)
    monkeypatch.setattr("numblocks.gluon.data.dataset.bar", at_once)
    for stream, seen in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(slow.transform(lambda x: x + 1, lazy=False)) == [2, 3, 4]
        assert list(slow.transform_first(lambda x: x + 1, lazy=False)) == [2, 3, 4]
        assert list(slow.filter(lambda x: x != 2)) == [1, 3]
        assert ("transforming" in stream.getvalue() and "filtering" in stream.getvalue()) is seen
        assert bool(stream.getvalue()) is seen


def test_a_short_preparation_shows_nothing(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(SimpleDataset([1, 2, 3]).filter(lambda x: x != 2)) == [1, 3]
    assert stream.getvalue() == ""
