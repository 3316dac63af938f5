"""A badge for each system: a small picture for a README, with the class that it has on a board."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ratf.page_words import title
from ratf.standing import Leaderboard, Standing, ends, number

NARROW, WIDE = "fijlrtI.,:;'|!()[]·- ", "mwMWQO%@—…"


@dataclass(frozen=True)
class Badge:
    """One badge's file, and what it says."""

    path: str
    system: str
    left: str
    right: str

    @property
    def words(self) -> str:
        """All of it."""
        return f"{self.left}: {self.right}"

    @property
    def widths(self) -> tuple[int, int]:
        """Of both halves, in pixels."""
        return width(self.left) + 12, width(self.right) + 12


def width(text: str) -> int:
    """How wide a text is on a badge, in pixels, about; the picture fits its letters to that."""
    return round(sum(4.3 if c in NARROW else 10.0 if c in WIDE else 7.6 if c.isupper() else 6.9 for c in text))


def badges(board: Leaderboard, plain: Callable[[str], str]) -> Iterator[Badge]:
    """A badge for each system on each board's first table."""
    for one in board.boards:
        for table in one.tables[:1]:
            for row in table.rows:
                left = plain(f"{board.persons[one.person]} · {title(table.metric)}")
                yield Badge(f"badges/{one.id}/{row.system}.svg", row.system, left, _right(row))


def _right(row: Standing) -> str:
    if row.disagree:
        return f"{row.placed or row.scale}, runs disagree"
    return f"{row.placed or row.scale} · {number(row)} [{ends(row)}]"
