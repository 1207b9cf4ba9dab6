"""Running a check on drawn cases, from anywhere: hypothesis draws, shrinks and prints the smallest failing case."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from .again import folders

RELAXED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
RELAXED += [h for h in (getattr(HealthCheck, "nested_given", None),) if h is not None]


def drawn(check, case, max_examples: int, seed: int | None = None) -> int:
    """Call `check(case)` on up to `max_examples` cases of a strategy.

    Args:
        check: raises for a wrong case; its name is printed with the smallest one.
        case: a strategy.
        max_examples: how many to draw.
        seed: of the draws; None draws the same each time.

    Returns:
        How many cases were checked; rejected draws do not count.

    Raises:
        AssertionError: of the smallest failing case, with the case in a note.

    >>> from hypothesis import strategies as st
    >>> def small(case): assert case < 10
    >>> drawn(small, st.just(3), 20)
    1
    """
    count = 0
    folders.clear()  # what an earlier failure has written stays

    def test(case):
        nonlocal count
        check(case)
        count += 1

    test.__name__ = test.__qualname__ = getattr(check, "__name__", "check")
    run = given(case=case)(test)
    if seed is not None:
        run = seeded(seed)(run)
    settings(
        max_examples=max_examples, derandomize=seed is None, database=None, deadline=None, report_multiple_bugs=False,
        suppress_health_check=RELAXED, phases=(Phase.explicit, Phase.generate, Phase.shrink), print_blob=False,
    )(run)()  # fmt: skip
    return count
