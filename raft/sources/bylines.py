"""Whose words these are: the bylines of a writing held against the person's name. In doubt, they are not the person's."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import regex

from raft.errors import RaftError
from raft.text import count_words, folded

_AND = regex.compile(
    r"\s*(?:[,;/|&+、，]|\s[·•–—-]\s|\b(?:as told to|for|and|with|und|et|y|e|en|mit|avec|con)\b)\s*", regex.I
)
_AROUND = regex.compile(
    r"^(?:(?:written|posted|published|words|story)\s+)?(?:by|von|par|por|di|da|door|от|文|作者)(?:\s*[:：]\s*|\s+)"
    r"|<[^>]{0,200}>|\S+@\S+|https?://\S+|[()<>\"“”]",
    regex.I,
)
_DEGREE = regex.compile(r"(?:ph\.?\s?d|m\.?d|m\.?a|b\.?a|m\.?sc|mba|esq|jr|sr|dr|prof)\.?", regex.I)
_ACCOUNT = regex.compile(
    r"(?:site|web)?\s?(?:admin(?:istrator)?|editor(?:ial)?|webmaster|root|user\d*|authors?|staff|guest|unknown"
    r"|anonymous|blog(?:ger)?|wordpress|ghost|info|contact|hello|mail|post|no-?reply|feedback|team|none|null|n/?a)",
    regex.I,
)
_ORGANISATION = regex.compile(
    r"\b(?:board|bank|university|institute?|press|news|times|journal|office|department|ministry|committee|council"
    r"|foundation|society|group|company|inc|ltd|llc|gmbh|editors|staff|team|magazine|blog|podcast|letters?|review"
    r"|media|network|association|cent(?:er|re)|agency|government|the)\b",
    regex.I,
)
_NAME = r"\p{Lu}[\p{L}\p{M}’'.-]*(?:\s+(?:\p{Lu}[\p{L}\p{M}’'.-]*|de|van|von|der|da|di|la|le))*"
_GUEST = regex.compile(
    r"(?i:(?:this|the following|today[’']s|what follows)\b[^.!?]{0,30}?)?(?i:\ban?\s+)?"
    r"(?i:guest[-\s](?:post|essay|column|article|contribution|author|blog(?:ger)?)|gastbeitrag|artículo invitado"
    r"|article invité)\b(?i:\s+(?:is|was|comes|written|post(?:ed)?))*\s*(?::|\b(?i:by|from|von|par|de|por)\b)\s*(?:my\s+\w+,?\s+)?"
    rf"(?P<who>{_NAME})|(?:客座文章|特约文章|特約文章|ゲスト寄稿|寄稿)\s*[:：]\s*(?P<who>[\p{{L}}·・]{{2,20}})"
)
_BY = regex.compile(
    rf"(?i:(?:written\s+|words\s+)?by|von|par|por|text:|от|作者[:：]|文[:：/])\s*(?P<who>{_NAME}|[\p{{Han}}·・]{{2,8}})[.:]?"
)
MORE_NAMES = 2
"""A name may be written with as many more names and titles."""
GUEST_WORDS, BY_WORDS = 60, 6
"""A guest is introduced in one short paragraph, at the start of a post or at its end; `By Conrad Poole` is a line."""


class SomebodyElse(RaftError):
    """A writing is signed by others alone."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("by somebody else")
        self.names = ", ".join(names)


@dataclass
class Owner:
    """The person whose writings are looked for, by all their `names`; without any, everything is taken as theirs."""

    names: tuple[str, ...] = ()
    told: list[tuple[str, str]] = field(default_factory=list)
    """What the user should know of a writing that was taken, and its place."""

    def check(self, bylines: Iterable[object], place: str) -> None:
        """Raises SomebodyElse where the bylines name people, and none of them is the person."""
        signed = names_in(bylines)
        mine = [name for name in signed if self.is_me(name)]
        others = [name for name in signed if name not in mine]
        if not others:
            return
        if self.names and not mine and any(not _ORGANISATION.search(name) for name in others):
            raise SomebodyElse(others)
        word = "signed as well by" if mine else "signed by"
        self._tell(f"{word} {', '.join(others)}", place)

    def check_text(self, paragraphs: Sequence[str], place: str) -> None:
        """Raises SomebodyElse where a paragraph at either end introduces a guest who is not the person."""
        if not self.names:
            return
        for paragraph in (*paragraphs[:2], *paragraphs[-2:]):
            found = _GUEST.match(paragraph) if count_words(paragraph) <= GUEST_WORDS else None
            found = found or (_BY.fullmatch(paragraph) if count_words(paragraph) <= BY_WORDS else None)
            if found and not self.is_me(found["who"]):
                raise SomebodyElse([found["who"].rstrip(".")])

    def cut(self, what: str, whence: str, place: str) -> None:
        """Say that a part of a writing, from the address `whence`, was left out, because it is not the person's."""
        self._tell(f"left out of the text, {what}", f"{place}{' ← ' if whence else ''}{whence}")

    def _tell(self, what: str, place: str) -> None:
        if (what, place) not in self.told:
            self.told.append((what, place))

    def is_me(self, name: str) -> bool:
        """Whether a name may be one of the person's."""
        return any(is_same(name, mine) for mine in self.names)

    def settle(self, bylines: Iterable[Iterable[object]], source: str) -> None:
        """Without a name, the person is who signed most of a source's writings.

        Raises RaftError where nobody signed more than half of those that are signed.
        """
        if self.names:
            return
        signed = [names for one in bylines if (names := names_in(one))]
        often = Counter(name for names in signed for name in names)
        if not often:
            return
        name, count = often.most_common(1)[0]
        if count <= len(signed) / 2:
            several = ", ".join(f"{one} ({n})" for one, n in often.most_common(5))
            raise RaftError(f"{source}: signed by {several}; whose writings are wanted? Give their name with --called")
        self.names = (name,)


def names_in(bylines: Iterable[object]) -> list[str]:
    """Every name in some bylines once, without degrees, addresses, and accounts that are nobody's name."""
    found: list[str] = []
    for byline in bylines:
        whole = " ".join(_AROUND.sub(" ", folded(str(byline or "")).replace("\u200b", "").strip()).split())
        pieces = (
            [whole] if regex.fullmatch(r"\p{L}[\p{L}\p{M}’'-]*,\s*\p{L}[\p{L}\p{M}’'.-]*", whole) else _AND.split(whole)
        )
        for piece in pieces:
            name = piece.strip(" .,;:–—-|@")
            if name and not _ACCOUNT.fullmatch(name) and not _DEGREE.fullmatch(name):
                found.append(name)
    return list(dict.fromkeys(found))


def is_same(name: str, other: str) -> bool:
    """Whether two names may be one person's: the same words, one with more of them, initials, or an account's name."""
    one, two = sorted((_words(name), _words(other)), key=len)
    if not one or not two:
        return False
    if "".join(one) == "".join(two) or (set(one) <= set(two) and len(two) <= len(one) + MORE_NAMES):
        return True
    if len(one) == 1:
        return len(two) > 1 and one[0] in {two[0][0] + two[-1], two[0] + two[-1][0], two[0] + two[-1]}
    initial = min(one[0], two[0], key=len)
    return one[-1] == two[-1] and len(initial) == 1 and one[0][0] == two[0][0]


def _words(name: str) -> list[str]:
    """The words of a name in small letters, without the accents of Latin ones."""
    bare = regex.sub(r"(?<=\p{Latin})\p{M}+", "", unicodedata.normalize("NFKD", name).casefold())
    found: list[str] = regex.findall(r"[\p{L}\p{M}\p{N}]+", bare)
    return [word for word in found if not _DEGREE.fullmatch(word)] or found
