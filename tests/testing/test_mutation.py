"""Planted faults are found by the public checks; the false alarms that were counted are none.

A few faults run each time, all with `-m mutation`; `results.json` keeps what a run of all of them gave.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from faults import FAULTS  # noqa: E402

OFTEN = ["forgotten_square", "second_order_only", "batch_not_reduced", "repeated_rows_overwrite",
"dropped_accumulation",
         "strides_of_length_one_axes", "no_bias_correction", "derived_wrongly", "keyword_not_in_the_key",
         "loop_exchanged_late"]  # fmt: skip
RESULTS = json.loads((HERE / "results.json").read_text())


@pytest.mark.parametrize(
    "name", [n if n in OFTEN else pytest.param(n, marks=pytest.mark.mutation) for n in sorted(FAULTS)]
)
def test_fault_is_found(name, request):
    if name not in OFTEN and "mutation" not in request.config.getoption("-m", default=""):
        pytest.skip("run with -m mutation")
    done = subprocess.run([sys.executable, str(HERE / "faults.py"), name], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"the fault cannot be planted any more:\n{done.stderr[-2000:]}"
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["caught"], f"not found: {FAULTS[name].what}"
    assert "Failing test case" in found["example"]


def test_results_are_those_of_these_faults():
    rows = {row["name"]: row for row in RESULTS["faults"]}
    assert set(rows) == set(FAULTS) and len(rows) >= 40
    caught = [r for r in rows.values() if r["caught"] and r["cpu_seconds"] < 60]
    assert len(caught) >= 39 / 40 * len(rows)


def test_no_false_alarm_was_counted():
    assert RESULTS["alarms"]["ops"]["checks"] >= 20_000 and RESULTS["alarms"]["ops"]["alarms"] == 0
    assert RESULTS["alarms"]["nets"]["checks"] >= 2_000 and RESULTS["alarms"]["nets"]["alarms"] == 0
