"""Every test of gluon counts names from zero, so that printed names can be compared as text."""

import pytest

from numblocks.gluon.naming import NameManager


@pytest.fixture(autouse=True)
def fresh_names():
    with NameManager():
        yield
