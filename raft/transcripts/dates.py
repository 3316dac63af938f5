"""Dates that are written out. Whatever could be read in two ways, or is missing, is no date."""

import datetime
import re
from collections.abc import Iterable

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_NAMES = "|".join(f"{m}|{m[:3]}" for m in _MONTHS) + "|sept"
_FORMS = (
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?!\d)"),
    re.compile(rf"\b(?P<name>{_NAMES})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20)\d\d)\b", re.I),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<name>{_NAMES})\.?,?\s+(?P<y>(?:19|20)\d\d)\b", re.I),
)
_IN_NAME = re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-_.]?(?P<m>\d\d)[-_.]?(?P<d>\d\d)(?!\d)")


def dates_in(text: str) -> set[datetime.date]:
    """Every day that `text` names in full: 2018-06-13, June 13, 2018 or 13 June 2018. 06/13/2018 is not one."""
    return _days(match for form in _FORMS for match in form.finditer(text))


def only_date(text: str) -> datetime.date | None:
    """The day that `text` names, when it names exactly one."""
    found = dates_in(text)
    return found.pop() if len(found) == 1 else None


def date_of_name(name: str) -> datetime.date | None:
    """The day that a file's name holds, as talk-2018-06-13.txt or 20180613.pdf, when it holds exactly one."""
    found = _days(_IN_NAME.finditer(name)) | dates_in(name)
    return found.pop() if len(found) == 1 else None


def _days(matches: Iterable[re.Match[str]]) -> set[datetime.date]:
    found = set()
    for match in matches:
        parts = match.groupdict()
        month = int(parts["m"]) if parts.get("m") else [m[:3] for m in _MONTHS].index(parts["name"][:3].lower()) + 1
        try:
            found.add(datetime.date(int(parts["y"]), month, int(parts["d"])))
        except ValueError:  # the 31st of June is no day
            continue
    return found
