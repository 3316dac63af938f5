"""What is in a transcript but was not said in the interview: stage directions, topic numbers, time stamps, ads."""

import re

from raft.transcripts.looks import is_break
from raft.transcripts.said import Left, Said

_DIRECTION = (
    r"laugh\w*|chuckl\w*|applau\w*|cheer\w*|booing|boos|inaudible|unintelligible|indiscernible|cross-?\s?talk|pauses?|"
    r"silence|no response|aside|cough\w*|gestur\w*|music|sighs?|nods|nodding|whisper\w*|noise|phone ring\w*|"
    r"shakes head|clears throat"
)
_MARKS = (
    ("time stamps", re.compile(r"\s*[\[(]\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?[\])]")),
    ("topic numbers", re.compile(r"\s*\[(?:\d{1,3}[.\-–'’]{0,2}|[IVX]{1,5}[.\-–])\]")),
    ("stage directions", re.compile(rf"\s*\[(?:[\w;,’']+ ){{0,2}}(?:{_DIRECTION})\b[^\[\]]{{0,80}}\]", re.I)),
    ("stage directions", re.compile(rf"\s*\((?:\w+ )?(?:{_DIRECTION})(?: \w+)?\.?\)", re.I)),
    ("stage directions", re.compile(r"\s*[\[(]?[♪♫][^♪♫\n\])]*[♪♫]?[\])]?")),
    (
        "stage directions",
        re.compile(r"\s*\((?:BEGIN|END|COMMERCIAL|CROSSTALK|VIDEO|AUDIO|LAUGHTER|APPLAUSE)\b[A-Z ,.'’-]{0,50}\)"),
    ),
    ("stage directions", re.compile(r"\s*\((?:BY|By) (?:MR|MS|MRS|DR|Mr|Ms|Mrs|Dr)\.? [\w’'-]+\)")),
    ("page numbers", re.compile(r"\s*\[\[\s*Page\s[\w-]{1,8}\s*\]\]", re.I)),
    (
        "footnote marks",
        re.compile(
            r"\s*\[\^[\w-]{1,12}\](?!:)|<sup>\s*[\[(]?[\w*†‡]{1,3}[\])]?\s*</sup>|(?<=[.,;:?!”\"’)\w])(?<![\d ][mc]m)(?<![\d ]m)[⁰¹²³⁴-⁹]{1,3}"
        ),
    ),
    ("footnotes", re.compile(r"^\[\^[\w-]{1,12}\]:.*$", re.S)),
    ("headings", re.compile(r"^#{1,6}\s[^\n]*$")),
)
_ALONE = re.compile(r"\[[^\[\]]{1,80}\]|\([^()]{1,60}\)")
_AD_SPEAKER = re.compile(r"ads?|advert(?:isement)?s?|sponsors?|commercials?|promos?", re.I)
_AD = re.compile(
    r"\b(?:(?:episode|show|podcast|program|programme) is (?:\w+ ){0,2}(?:brought to you|sponsored|supported|made possible) by|"
    r"word from (?:our|today’s|today's) sponsors?|thanks? (?:\w+ ){0,3}(?:our|today’s|today's) sponsors?|"
    r"support for (?:this|the|our) (?:show|podcast|program|programme) comes from)\b",
    re.I,
)
_HINTS = re.compile(
    r"\b(?:sponsors?|brought to you by|promo code|(?:use|with|enter) (?:the |our |my )?(?:offer )?code|\d+ ?(?:%|percent) off|free trial|"
    r"terms apply|sign up (?:today|now)|\w+\.(?:com|org|co|io)/\w+|discount|first month free)\b",
    re.I,
)


def cleaned(said: list[Said]) -> tuple[list[Said], list[Left]]:
    """The same turns without what nobody said in answer or question; turns that were nothing else are gone."""
    left: list[Left] = []
    kept = []
    for one in said:
        if _AD_SPEAKER.fullmatch(one.speaker) or is_break(one.speaker):
            left.append(("advertising" if _AD_SPEAKER.fullmatch(one.speaker) else "breaks", one.text))
            continue
        paragraphs = [_clean(paragraph, left) for paragraph in one.text.split("\n\n")]
        text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
        if text:
            kept.append(Said(one.speaker, text, one.role))
    return kept, left


def _gap(mark: re.Match[str]) -> str:
    """What stays where a mark was: a space where two words would else become one."""
    before, after = mark.string[: mark.start()][-1:], mark.string[mark.end() :][:1]
    return " " if before.isalnum() and after.isalnum() else ""


def _clean(paragraph: str, left: list[Left]) -> str:
    text = paragraph.strip()
    if _AD.search(text) or len({hint.lower() for hint in _HINTS.findall(text)}) > 1:
        left.append(("advertising", text))
        return ""
    for why, mark in _MARKS:
        left += [(why, found.group().strip()) for found in mark.finditer(text)]
        text = mark.sub(_gap, text).strip()
    if _ALONE.fullmatch(text):
        left.append(("stage directions", text))
        return ""
    return text if re.search(r"\w", text) else ""
