"""`python -m tests.fuzz --minutes 60`: fuzz everything, or one target, and say what was found."""

import argparse
import secrets
import sys
import time
import traceback

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

EXAMPLES = 2_000
"""Of one seed; then another one is taken."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="in all, for all targets")
    parser.add_argument("--target", choices=[target.name for target in TARGETS])
    asked = parser.parse_args()
    targets = [target for target in TARGETS if asked.target in (None, target.name)]
    found = 0
    for target in targets:
        found += campaign(target, asked.minutes * 60 / len(targets))
    return 1 if found else 0


def campaign(target: Target, length_s: float) -> int:
    """Fuzz one target for so long; how many seeds have found something."""
    until = time.monotonic() + length_s
    tried = found = 0
    while time.monotonic() < until:
        number = secrets.randbits(32)
        failure, examples = attempt(target, number, until)
        tried += examples
        if failure is not None:
            found += 1
            traceback.print_exception(failure)
            sys.stdout.write(f"{target.name}: seed {number} found something\n")
    sys.stdout.write(f"{target.name}: {tried:,} examples in {length_s:.0f} s, {found} findings\n")
    sys.stdout.flush()
    return found


def attempt(target: Target, number: int, until: float) -> tuple[Exception | None, int]:
    """The smallest failure of a seed, if there is one, and how many examples were tried."""
    tried = 0

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(target.strategy)
    def holds(value: object) -> None:
        nonlocal tried
        if time.monotonic() < until:
            tried += 1
            target.check(value)

    try:
        holds()
    except Exception as failure:
        return failure, tried
    return None, tried


if __name__ == "__main__":
    sys.exit(main())
