"""Plain work on text: sentence ends, shortening, and characters that must not reach a page."""

import re

SENTENCE_END = re.compile(r"""(?:(?<=[.!?])|(?<=[.!?]["')\]’”]))\s+(?=["'(\[“‘]?[A-Z0-9])""")


def shorten(text: str, words: int) -> str:
    """`text` up to the last sentence end within `words` words; cut at that word when no sentence ends before."""
    if len(text.split()) <= words:
        return text
    kept: list[str] = []
    for sentence in SENTENCE_END.split(text):
        if len(" ".join([*kept, sentence]).split()) > words:
            break
        kept.append(sentence)
    return " ".join(kept) or " ".join(text.split()[:words])


_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Text without control characters, and without the marks that would turn its neighbours' direction."""
    return _CONTROL_CHARACTERS.sub("�", text)
