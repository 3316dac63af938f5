"""Dates in a transcript's head, fields and name. What could be read in two ways, or is missing, is no date."""

import datetime
import re

import regex

from raft.sources.dates import EAST, NAMED, date_in, parse_date

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WRITTEN = re.compile(
    rf"(?<!\d)\d{{4}}-\d\d-\d\d(?!\d)|\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}\b|"
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH},?\s+\d{{4}}\b",
    re.I,
)
_IN_OTHER_LANGUAGES = regex.compile(rf"(?<!\d){EAST}|(?<![\d.,]){NAMED}\b")


def only_date(text: str) -> datetime.date | None:
    """The day that `text` writes out (2018-06-13, June 13, 2018, 13 June 2018, 13. Juni 2018), when it is just one."""
    found = {parse_date(match) for match in _WRITTEN.findall(text)}
    found |= {parse_date(match) for match in _IN_OTHER_LANGUAGES.findall(text)} - {None}
    return found.pop() if len(found) == 1 else None


def date_given(value: object) -> datetime.date | None:
    """The day that a field called date gives."""
    return parse_date(value) or only_date(str(value))


def date_of_name(stem: str) -> datetime.date | None:
    """The day that a file's name holds, as talk-2018-06-13 or 20180613, when it holds exactly one."""
    return date_in(stem) or only_date(stem.replace("-", " ").replace("_", " "))
