"""`python -m numblocks`: the main job. `python -m numblocks cache [clear]`: the generated kernels."""

from __future__ import annotations

import sys

from .demo import main
from .kernels import build


def cache(arguments: list[str]) -> int:
    """Print the folder of the generated kernels and what is in it, or delete them."""
    if arguments not in ([], ["clear"]):
        print(
            f"python -m numblocks cache: {' '.join(arguments)!r} is unknown. Add nothing, or clear.",
            file=sys.stderr,
        )
        return 2
    if arguments:
        build.clear()
    print(build.report())
    return 0


if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(cache(words[1:]) if words[:1] == ["cache"] else main(words))
