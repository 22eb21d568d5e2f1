"""`python -m tests.soak --minutes N`: wear the whole app out, and say how it bore that."""

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.soak.run import soak


def main() -> int:
    """0 if the app held what it promises, 1 if not; its log is then kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    flags = parser.parse_args()
    # aiortc drops the errors of connections that died, and here most do.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    report = asyncio.run(soak(folder, 60 * flags.minutes, flags.seed))
    sys.stdout.write(f"{report}\nlog: {folder}\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
