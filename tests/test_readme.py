"""The README's code runs as it stands, and says what it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.M | re.S)


@pytest.mark.parametrize("code", BLOCKS, ids=[b.strip().splitlines()[0][:40] for b in BLOCKS])
def test_block_runs(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from numblocks import random

    random.seed(0)
    path = tmp_path / "block.py"  # a file: kernels are made from source text
    path.write_text(code)
    namespace = {"__name__": "readme_block"}
    exec(compile(code, str(path), "exec"), namespace)
    if "accuracy" in namespace:
        assert namespace["accuracy"].get()[1] > 0.9


def test_first_sh_block_is_two_lines():
    block = re.search(r"^```sh\n(.*?)^```", README, re.M | re.S)[1].strip().splitlines()
    assert len(block) == 2 and "-m numblocks" in block[0] and "-m pytest" in block[1]
