"""Counts false alarms: draws calls of all ops and random nets, and says how many checks passed.

python tests/testing/alarms.py ops 20000        # at least so many checks of ops
python tests/testing/alarms.py nets 2000        # nets; each tenth compiled, too
python tests/testing/alarms.py programs 300     # little programs, eager and compiled
python tests/testing/alarms.py large 6          # calls of each op on large arrays
"""

import json
import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from reference import REFERENCE  # noqa: E402

from numblocks import testing  # noqa: E402
from numblocks.op import REGISTRY  # noqa: E402
from numblocks.testing import layers, programs, training  # noqa: E402

ROUGH = {"gamma_slope": 1e-5}  # itself computed by differences, as the registry's tests allow


def attempt(check, failures: list) -> int:
    """How many cases passed; a failure is noted."""
    try:
        return check()
    except Exception as error:
        failures.append(f"{type(error).__name__}: {str(error)[:1500]} {getattr(error, '__notes__', '')}")
        print(failures[-1], flush=True)
        return 0


def ops(count: int, failures: list, seed: int) -> int:
    """All ops that can be called, in turn, about so many checks altogether; `ONLY=a,b` in the environment: these."""
    only = os.environ.get("ONLY", "").split(",")
    names, uncallable = [], []
    for name, op in sorted(REGISTRY.items()):
        if name == "with_gradient":  # another gradient than its own on purpose
            continue
        try:
            testing.calls.calls(op)
            names.append(name)
        except LookupError:
            uncallable.append(name)
    print(len(names), "ops; not called:", *uncallable, flush=True)
    each, done = max(int(count / len(names) / 2), 10), 0
    for name in names if only == [""] else only:
        before = time.time()
        found = attempt(
            lambda name=name: testing.check_op(
                name, reference=REFERENCE.get(name), tolerance=ROUGH.get(name, 0.0), max_examples=each, seed=seed
            ),
            failures,
        )
        done += found
        print(name, found, round(time.time() - before, 1), flush=True)
    return done


def nets(count: int, failures: list, seed: int) -> int:
    """Gradients in training and prediction and saving of random nets; a tenth also compiled; some trained."""
    plain = lambda net: testing.check_block(net, hybrid=False)
    done = attempt(lambda: testing.drawn(plain, layers.trees(), count, seed), failures)
    print("eager", done, flush=True)
    done += attempt(lambda: testing.drawn(testing.check_block, layers.trees(), count // 10, seed + 1), failures)
    print("compiled, too", done, flush=True)
    return done + attempt(
        lambda: testing.drawn(testing.check_training, training.trainings(), count // 10, seed), failures
    )


def little_programs(count: int, failures: list, seed: int) -> int:
    """Random programs."""
    return attempt(lambda: testing.drawn(testing.check_program, programs.programs(), count, seed), failures)


def large(count: int, failures: list, seed: int) -> int:
    """Ops without kinks on arrays that take threads, kernels over rows, memory used again."""
    done = 0
    for name, op in sorted(REGISTRY.items()):
        smooth = op.kind == "elementwise" and op.kinks is None and op.vjp is not None and op.result in ("same", "float")
        if not smooth and name not in ("sum", "prod", "softmax", "log_softmax", "matmul", "linear"):
            continue
        cases = testing.large_calls(name)
        found = attempt(
            lambda name=name, cases=cases: testing.check_op(
                name, reference=REFERENCE.get(name), cases=cases, order=1, max_examples=count, seed=seed
            ),
            failures,
        )
        done += found
        print(name, found, flush=True)
    return done


if __name__ == "__main__":
    what, count = sys.argv[1], int(sys.argv[2])
    start, failures = time.time(), []
    done = {"ops": ops, "nets": nets, "programs": little_programs, "large": large}[what](
        count, failures, int(sys.argv[3]) if len(sys.argv) > 3 else 1
    )
    print(json.dumps({"what": what, "checks": done, "alarms": len(failures), "seconds": round(time.time() - start)}))
