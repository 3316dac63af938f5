"""One run over sources of writings: how pages are got, what is kept already, and what was left out, and why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from raft.errors import RaftError
from raft.progress import Progress, silent
from raft.sources.bylines import Owner, SomebodyElse
from raft.sources.http import FetchError, Page, Web

IN_A_ROW = 3
"""After so many pages in a row that cannot be had for now, the site is taken to be down."""

Got = TypeVar("Got")


@dataclass
class Visit:
    """What a reader needs beside the source's name, and where it says what it did not take."""

    web: Web
    known: set[str] = field(default_factory=set)
    """The `doc_id` of every document that is kept."""
    progress: Progress = silent
    owner: Owner = field(default_factory=Owner)
    """Whose writings are looked for."""
    kind: str = ""
    new: int = 0
    already: int = 0
    undated: list[str] = field(default_factory=list)
    """The `doc_id` of each new document without a date."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """Reason and place of each writing that was not taken."""
    notes: list[str] = field(default_factory=list)
    """What the user should know about what was taken."""
    _failures: int = 0
    _looked_at: dict[str, Page] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The first address of a visit is the source's own."""
        self.web.begin()

    def look(self, url: str) -> Page:
        """A page, to see what it is; `page` will not fetch it again."""
        self._looked_at = {url: self.web.get(url)}
        return self._looked_at[url]

    def page(self, url: str) -> Page:
        """The page at a source's own address."""
        return self._looked_at.pop(url, None) or self.web.get(url)

    def has(self, doc_id: str) -> bool:
        """Whether it is kept already; if so it is counted."""
        self.already += doc_id in self.known
        return doc_id in self.known

    def leave_out(self, reason: str, place: str) -> None:
        """Say that something was not taken."""
        self.left_out.append((reason, place))

    def attempt(self, place: str, get: Callable[[], Got]) -> Got | None:
        """`get()`; None when one writing cannot be had or read, which is then left out.

        Raises FetchError when the site seems to be down or asks to come back much later.
        """
        try:
            got = get()
        except RaftError as error:
            if isinstance(error, FetchError) and error.asks_to_stop:
                raise
            who = f"; {error.names}" if isinstance(error, SomebodyElse) else ""
            self.leave_out(str(error).removeprefix(f"{place}: "), place + who)
            self._failures = self._failures + 1 if isinstance(error, FetchError) and error.passes else 0
            if self._failures == IN_A_ROW:
                raise FetchError(
                    f"{error}; {IN_A_ROW} in a row: the site seems to be down, run it again later"
                ) from error
            return None
        self._failures = 0
        return got
