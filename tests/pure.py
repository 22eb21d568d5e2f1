"""Prints the files of the pure modules, for `coverage report --include`; all must be at 100 %."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.test_architecture import pure_modules

if __name__ == "__main__":
    sys.stdout.write(",".join(f"components/{name.replace('.', '/')}.py" for name in pure_modules()))
