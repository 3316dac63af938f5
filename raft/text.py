"""Words and sentences of any script: how long a text is, where its sentences end, which words stand in a row.

Where a script puts no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan), two characters
count as one word, and a run of 8 words is one of 16 characters. Texts with spaces are counted as `str.split` does.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import regex

LETTERS = r"\p{L}\p{M}\p{N}_"
"""What words are made of, for a character class. Python's own `\\w` leaves out the vowel signs of Hindi."""


_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Tibetan}\p{Javanese}\p{Balinese}\p{LB=SA}ー"
ONE_UNSPACED = rf"[[{_SCRIPTS}]&&[\p{{L}}\p{{N}}]]"
"""A letter of a script without spaces between words, as a class of `regex` in its version 1."""


_HAS_UNSPACED = regex.compile(rf"(?V1){ONE_UNSPACED}")
_PARTS = regex.compile(rf"(?V1){ONE_UNSPACED}\p{{M}}*|[^{ONE_UNSPACED}]+")
_SPACE = r"\s\x1c-\x1f"  # what `str.split` takes for space; `regex` leaves out the separators
_PIECE = regex.compile(
    rf"(?V1)[^\w{_SPACE}]*(?:{ONE_UNSPACED}\p{{M}}*[^\w{_SPACE}]*){{1,2}}|[^{_SPACE}{ONE_UNSPACED}]+"
)
_NOT_LATIN = regex.compile(r"(?V1)[\p{L}--\p{Latin}]")
_SPACED_PIECE = re.compile(r"\S+")
MOST_CHARACTERS = 20_000
"""The greatest length of an answer that is read or scored: some metrics' time grows with the square of it."""


LONGEST_WORD = 40
"""What has more letters without a space is no word, but text that lost its spaces, or code."""


_OTHER_ENDS = r"[\p{STerm}--[.!?]]"
_OPENING = r"""["'(\[“‘]?[«„‚‹「『（《【]{0,2}"""
SENTENCE_END = regex.compile(
    rf"""(?V1)(?:(?<=[.!?])|(?<=[.!?]["')\]’”“»›])|(?<=[.!?]\s[»›]))\s+(?={_OPENING}(?:[\p{{Lu}}\p{{Lt}}\p{{Lo}}\p{{Nd}}]|[¿¡]\w))"""
    rf"""|(?<={_OTHER_ENDS}[\p{{Pe}}\p{{Pf}}]*)(?<!\p{{Nd}}．(?=\p{{Nd}}))(?![\p{{Pe}}\p{{Pf}}]|{_OTHER_ENDS}|(?<=[」』])\p{{Hiragana}})\s*(?=\S)"""
)
"""What is between two sentences. A sentence ends at `.`, `!` or `?` before a space and a letter that is not small, and
at the marks that end nothing else (`。`, `।`, `؟`), also without a space."""


_LAST_END = regex.compile(r"""[\p{STerm}…]["'\p{Pe}\p{Pf}“\s]*$""")
_EVERY_END = regex.compile(rf"(?V1)(?<=[.!?])\s+|(?<={_OTHER_ENDS})(?!{_OTHER_ENDS})\s*(?=\S)")
_UNSEEN = regex.compile(r"(?V1)[\p{Cf}--\u200b]")
_READING_MARKS = regex.compile(r"[\u0591-\u05c7\u0640\u064b-\u0652\u0670]")
_OTHER_WIDTH = regex.compile(r"[\uff01-\uffef]+")


def sentences(text: str) -> list[str]:
    """The sentences of a text, by the marks of its script."""
    return list(SENTENCE_END.split(text.strip()))


def ends_sentence(text: str) -> bool:
    """Whether the text ends as a sentence does, quotes and brackets after the mark or not."""
    return bool(_LAST_END.search(text.rstrip()))


def parts(text: str) -> list[str]:
    """The text cut at every mark that may end a sentence, whatever comes after it: abbreviations are cut as well."""
    return list(_EVERY_END.split(text.strip()))


def joined(sentences: Sequence[str]) -> str:
    """Sentences put together, with spaces between them except in Chinese and Japanese."""
    text = "".join(sentences[:1])
    for before, after in pairwise(sentences):
        text += ("" if _is_wide(before.rstrip("”’\"'")[-1:]) else " ") + after
    return text


def _is_wide(character: str) -> bool:
    """Whether it is a letter or a mark of Chinese or Japanese, which no space follows."""
    is_hangul_or_sign = not character or unicodedata.category(character)[0] == "S" or "\uac00" <= character <= "\ud7a3"
    return not is_hangul_or_sign and unicodedata.east_asian_width(character) in "WF"


def is_unspaced(text: str) -> bool:
    """Whether the text has letters of a script without spaces between words."""
    return not text.isascii() and _HAS_UNSPACED.search(text) is not None


def estimated_tokens(text: str) -> int:
    """A token to every four characters, as OpenAI's help says of English: its tokenizer's tables would be a download.

    Letters of scripts that are not Latin count as half a token, those of scripts without spaces as one.
    """
    foreign = 0 if text.isascii() else len(_NOT_LATIN.findall(text)) + 2 * len(_HAS_UNSPACED.findall(text))
    return -(-(len(text) + foreign) // 4)


def spans(text: str) -> list[tuple[int, int]]:
    """Where each word of the text starts and ends, with its punctuation; two characters where there are no spaces."""
    return [found.span() for found in (_PIECE if is_unspaced(text) else _SPACED_PIECE).finditer(text)]


def count_words(text: str) -> int:
    """How many words the text has."""
    return len(spans(text)) if is_unspaced(text) else len(text.split())


def words_between(text: str, start: int, end: int) -> str:
    """The words from number `start` up to `end`, counted from 0, with one space wherever the text has any."""
    if not is_unspaced(text):
        return " ".join(text.split()[start:end])
    found = spans(text)[start:end]
    return " ".join(text[found[0][0] : found[-1][1]].split()) if found else ""


def windows(text: str, size: int, step: int) -> list[str]:
    """The text in pieces of `size` words, each `step` words after the one before; the last reaches the text's end."""
    found = spans(text)
    starts = range(0, max(1, len(found) - (size - step)), step)
    pieces = [found[start : start + size] for start in starts]
    return [" ".join(text[piece[0][0] : piece[-1][1]].split()) if piece else "" for piece in pieces]


def shorten(text: str, words: int) -> str:
    """`text` up to the last sentence end within `words` words; cut at that word when no sentence ends before."""
    if count_words(text) <= words:
        return text
    kept: list[str] = []
    for sentence in SENTENCE_END.split(text):
        if count_words(joined([*kept, sentence])) > words:
            break
        kept.append(sentence)
    return joined(kept) or words_between(text, 0, words)


def folded(text: str) -> str:
    """The text in one spelling: composed letters, one width, nothing unseen, no vowel points of Arabic and Hebrew."""
    if text.isascii():
        return text
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", text))
    text = _OTHER_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return str(_READING_MARKS.sub("", text))


def by_script(words: Iterable[str]) -> list[str]:
    """The words in order; one of a script without spaces as its characters."""
    found: list[str] = []
    for word in words:
        if word.isascii() or not is_unspaced(word):
            found.append(word)
        else:
            found += _PARTS.findall(word)
    return found


def length(words: Iterable[str]) -> int:
    """How many words there are, two characters of a script without spaces being one."""
    return (sum(map(_halves, words)) + 1) // 2


def _halves(word: str) -> int:
    return 1 if is_unspaced(word) else 2


def run_ends(words: Sequence[str], size: int) -> list[int]:
    """For each word that a run of `size` words starts at: the place after the run's last word."""
    if not any(map(is_unspaced, words)):
        return list(range(size, len(words) + 1))
    ends: list[int] = []
    end = held = 0
    for word in words:
        while held < 2 * size and end < len(words):
            held += _halves(words[end])
            end += 1
        if held < 2 * size:
            break
        ends.append(end)
        held -= _halves(word)
    return ends


def runs(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Every run of `size` words, in order."""
    return [tuple(words[start:end]) for start, end in enumerate(run_ends(words, size))]


_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Text without control characters, and without the marks that would turn its neighbours' direction."""
    return _CONTROL_CHARACTERS.sub("�", text)


def number_of(n: int, noun: str) -> str:
    """Return how many there are of what `noun` names, as `1 turn` and `1,200 turns`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def one_line(text: str) -> str:
    """`plain` text in one line, for a terminal or a log of CI: nothing of it begins a line or moves the cursor."""
    return " ".join(plain(text).splitlines())
