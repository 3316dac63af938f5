"""Where the repository is, and what the tests read in it."""

import shutil
from pathlib import Path

TESTS = Path(__file__).parent.parent
REPOSITORY = TESTS.parent
DATA = TESTS / "data"
GOLDEN = TESTS / "golden"


def people(folder: Path) -> None:
    """Small cuts of two of the demo's people: a person of six interviews, an impostor of four."""
    for person, interviews, writings in (("marrack", 6, 3), ("pell", 4, 1)):
        source = REPOSITORY / "benchmarks" / person
        (folder / person).mkdir(parents=True)
        shutil.copy(source / "person.yaml", folder / person)
        for name, count in (("interviews.jsonl", interviews), ("writings.jsonl", writings)):
            lines = (source / name).read_text("utf-8").splitlines(keepends=True)[:count]
            (folder / person / name).write_text("".join(lines), "utf-8")
