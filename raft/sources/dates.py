"""Dates as people and programs write them. What could mean two days means none: a date is never guessed."""

import datetime
import re
from functools import cache
from typing import Any

import regex

from raft.people.person import in_future

LANGUAGES = ("de", "fr", "es", "it", "pt", "nl", "ru", "hi")
"""Languages beside English in which a month may be written out. Two that read a date differently give none."""

NAMED = r"\d{1,2}(?:\.|er|º|ª)?\s+(?:de\s+)?[\p{L}\p{M}]{3,12}\.?,?\s+(?:del?\s+)?\d{4}"
"""A day with its month in letters, in any of them, as a pattern of `regex`."""
EAST = r"\d{4}\s*[年년]\s*\d{1,2}\s*[月월]\s*\d{1,2}\s*[日号號일]"
"""A day as Chinese, Japanese and Korean write it."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_TIME = r"(?:\s*,?\s*(?:at\s+)?T?\d{1,2}:\d\d.*)?"

_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}", re.I)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T\d{4,6}.*)?")
_DAY_MONTH = re.compile(rf"{_WEEKDAY}(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?[\s-]+{_MONTH},?[\s-]+(\d{{4}}){_TIME}", re.I)
_MONTH_DAY = re.compile(rf"{_WEEKDAY}{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}}){_TIME}", re.I)
_TIME_INSIDE = re.compile(
    rf"{_WEEKDAY}{_MONTH}\s+(\d{{1,2}})\s+\d\d?:\d\d(?::\d\d)?(?:\s+[A-Z+-][A-Z\d:]*)?\s+(\d{{4}})", re.I
)
_NUMBERS = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_TIME}", re.I)
_IN_WORDS = regex.compile(
    rf"(?:[\p{{L}}\p{{M}}]+[.,]?\s+){{0,2}}{NAMED}(?:\s+(?:г\.?|года))?(?P<time>\s*,?\s+(?:um\s+|à\s+)?\d\d?:\d\d.*)?",
    regex.I,
)
_NO_MATTER = re.compile(r"\b(?:am|den|dem|vom)\s+|[ºª]", re.I)
_EAST = regex.compile(
    rf"{EAST}(?:\s*[(（]?(?:星期|周|週)?[一二三四五六日天月火水木金土](?:曜日?)?[)）]?)?(?:\s+\d\d?:\d\d.*)?"
)
_INSIDE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:([-_/.])(\d\d)\2(\d\d)|(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))(?!\d)", re.I
)


def parse_date(value: object) -> datetime.date | None:
    """The day that `value` names, in the writer's own time zone; None when it names none, could name two, or is to come.

    Understood: dates, ISO 8601, RFC 822, `5 March 2024`, `March 5th, 2024`, `5. März 2024`, `5 de marzo de 2024`,
    `2024年3月5日`, and day, month and year in numbers when
    only one order is possible (`25/03/2024`; `03/04/2024` is None). A month or a year alone is no day.
    """
    day = _read(value)
    return None if day is None or in_future(day) else day


def _read(value: object) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    text = " ".join(str(value).split()) if isinstance(value, str | int) else ""
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(found[1], found[3], found[4])
    if found := _DIGITS.fullmatch(text):
        return _day(*found.groups())
    if found := _DAY_MONTH.fullmatch(text):
        return _day(found[3], _number(found[2]), found[1])
    if found := _MONTH_DAY.fullmatch(text) or _TIME_INSIDE.fullmatch(text):
        return _day(found[3], _number(found[1]), found[2])
    if found := _NUMBERS.fullmatch(text):
        return _one_of(_day(found[4], found[3], found[1]), _day(found[4], found[1], found[3]))
    if _EAST.fullmatch(text):
        return _day(*re.findall(r"\d+", text)[:3])
    if found := _IN_WORDS.fullmatch(text):
        return _in_words(_NO_MATTER.sub("", text[: found.start("time")] if found["time"] else text))
    return None


@cache
def _in_words(text: str) -> datetime.date | None:
    """The one day that the languages read in `text`, with the year and the day that it has in numbers."""
    numbers = {int(n) for n in re.findall(r"\d+", text)}
    found = {date for reader in _readers() if (date := reader.get_date_data(text).date_obj)}
    days = {moment.date() for moment in found}
    day = days.pop() if len(days) == 1 else None
    return day if day and numbers == {day.year, day.day} else None


@cache
def _readers() -> list[Any]:
    from dateparser.date import DateDataParser

    settings = {"STRICT_PARSING": True, "REQUIRE_PARTS": ["day", "month", "year"]}
    return [DateDataParser(languages=[language], settings=settings) for language in LANGUAGES]


def date_in(name: str) -> datetime.date | None:
    """The one date in a file's name or a link: `2024-03-05`, `2024/03/05`, `20240305`. None when there are several."""
    days = {_day(m[1], m[3] or m[5], m[4] or m[6]) for m in _INSIDE.finditer(name)} - {None}
    return days.pop() if len(days) == 1 else None


def _number(month: str) -> int:
    return _MONTHS.index(month[:3].lower()) + 1


def _day(year: str | int, month: str | int, day: str | int) -> datetime.date | None:
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _one_of(a: datetime.date | None, b: datetime.date | None) -> datetime.date | None:
    return (a or b) if a == b or a is None or b is None else None
