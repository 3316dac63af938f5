"""Where the repository is, and what the tests read in it."""

from pathlib import Path

TESTS = Path(__file__).parent.parent
REPOSITORY = TESTS.parent
DATA = TESTS / "data"
GOLDEN = TESTS / "golden"
