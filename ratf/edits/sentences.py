"""Where the sentences of a text are, in any script."""

import re
from collections.abc import Collection
from functools import lru_cache

ENDS = "!?。！？｡．؟۔।॥။።፧։…⸮‼⁇⁈⁉᙮៕᠃᪨꓿"
"""Signs that end a sentence and nothing else; the full stop, which also ends abbreviations, is looked at closely."""
CLOSERS = r"""["'”’»)\]）」』】]*"""
OPENERS = """"'“‘«¿¡([（「『【—–-"""
WIDE = "。！？｡．"
"""After these no space is needed."""

_END = re.compile(rf"(?:[.{ENDS}]+{CLOSERS}(?=\s)|[{WIDE}]+{CLOSERS})\s*|\s*\n\s*\n\s*")


def sentence_spans(text: str, abbreviations: Collection[str] = ()) -> list[tuple[int, int]]:
    """The start and end of every sentence, without the space around it.

    A sentence ends at a sign that ends one in its script, where what follows does not begin with a small letter, and at
    an empty line. A full stop after one of `abbreviations` (small letters, without their last stop) or after a single
    letter ends none. Scripts without capitals are split at every such sign.
    """
    return list(_spans(text, frozenset(abbreviations)))


@lru_cache(maxsize=50_000)
def _spans(text: str, abbreviations: frozenset[str]) -> tuple[tuple[int, int], ...]:
    found, start = [], 0
    for match in _END.finditer(text):
        if "\n\n" not in "".join(match[0].split(" ")) and not _ends(text, start, match, abbreviations):
            continue
        found.append((start, match.end()))
        start = match.end()
    found.append((start, len(text)))
    return tuple(span for a, b in found if (span := _trimmed(text, a, b))[0] < span[1])


def _ends(text: str, start: int, match: re.Match[str], abbreviations: frozenset[str]) -> bool:
    follows = text[match.end() :].lstrip(OPENERS)[:1]
    if follows.islower():
        return False
    mark = match[0].rstrip().rstrip("\"'”’»)]）」』】")
    if mark != ".":
        return True
    before = text[start : match.start()].rsplit(None, 1)[-1:]
    word = before[0].lstrip(OPENERS) if before else ""
    # "I." ends a sentence more often than it begins a name
    initial = len(word) == 1 and word.isupper() and word != "I"
    return bool(word) and not initial and word.casefold() not in abbreviations


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def sentences(text: str, abbreviations: Collection[str] = ()) -> list[str]:
    """The sentences of a text, as `sentence_spans` finds them."""
    return [text[a:b] for a, b in sentence_spans(text, abbreviations)]
