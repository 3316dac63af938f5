from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raft.sources.dates import date_in, parse_date
from raft.transcripts.dates import only_date

FIFTH = date(2024, 3, 5)


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-05", "2024-3-5", "2024/03/05", "2024.03.05", "20240305", 20240305, "2024-03-05T23:59:59.000Z",
        "2024-03-05 10:00:00 +0200", "20240305T100000Z", "Tue, 05 Mar 2024 23:30:00 -0500", "5 March 2024",
        "5th of March, 2024", "March 5, 2024", "Mar. 5th, 2024", "Tuesday, March 5, 2024", "05-Mar-2024",
        "Tue Mar 05 2024 10:00:00 GMT+0000", "March  5,\n2024", "Mar 5, 2024 at 9:15 AM", "Tue Mar 05 23:00:00 +0000 2024", "Tue Mar  5 23:00:00 2024", FIFTH, datetime(2024, 3, 5, 23),
    ],
)  # fmt: skip
def test_a_day_is_understood_as_it_is_written(written: object) -> None:
    assert parse_date(written) == FIFTH


@pytest.mark.parametrize(
    "written",
    [
        "", None, "2024", "March 2024", "03/04/2024", "3.4.2024", "5/3/24", "2024-13-01", "2023-02-29", "yesterday",
        "Spring 2024", "31 April 2024", "1710000000", 5, True, [], "2024-03-05 or so", "32/01/2024", "00000000",
    ],
)  # fmt: skip
def test_what_is_no_day_or_could_be_two_is_none(written: object) -> None:
    assert parse_date(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "5. März 2024", "Dienstag, den 5. März 2024", "am 5. MÄRZ 2024", "5 mars 2024", "mardi 5 mars 2024", "le 5 mars 2024 à 14:05",
        "5 de marzo de 2024", "Martes, 5 de Marzo del 2024", "2024年3月5日", "2024 年 03 月 05 日 09:30", "2024年3月5日（火）",
        "2024年3月5日 星期二", "２０２４年３月５日", "2024년 3월 5일", "5 марта 2024 г.", "5 de março de 2024", "5 मार्च 2024", "5 marzo 2024",
    ],
)  # fmt: skip
def test_a_day_in_other_languages(written: str) -> None:
    assert parse_date(written) == FIFTH
    assert only_date(f"… {written} …") == FIFTH


@pytest.mark.parametrize(
    "written",
    [
        "März 2024", "31. Februar 2024", "mars 2024", "vor 3 Tagen 2024", "il y a 5 jours 2024", "2024年3月", "2024年13月5日",
        "12 Äpfel 2024", "gestern 12 Uhr 2024", "5 de nada de 2024", "03.04.2024", "Kapitel 5 März 2024", "hace 5 días 2024",
    ],
)  # fmt: skip
def test_what_is_no_day_in_other_languages_is_none(written: str) -> None:
    assert parse_date(written) is None


def test_two_days_in_a_text_are_none() -> None:
    assert only_date("vom 5. März 2024 bis 6. März 2024") is None
    assert only_date("2024年3月5日から2024年3月6日まで") is None
    assert only_date("5 March 2024, das ist der 5. März 2024, mit 12 Booten 2024") == FIFTH


def test_day_and_month_in_numbers_when_only_one_order_is_possible() -> None:
    assert parse_date("25/03/2024") == parse_date("03/25/2024") == date(2024, 3, 25)
    assert parse_date("4.4.2024") == date(2024, 4, 4)


@pytest.mark.parametrize(
    "name", ["2024-03-05-eels.md", "speech20240305a.htm", "https://x.example/2024/03/05/eels/", "a_2024_03_05.txt"]
)
def test_the_date_in_a_name(name: str) -> None:
    assert date_in(name) == FIFTH


@pytest.mark.parametrize(
    "name", ["eels.md", "2024-03-05-to-2024-03-09.txt", "12024030512.pdf", "20241399.txt", "2024/03/eels"]
)
def test_no_date_or_two_in_a_name_is_none(name: str) -> None:
    assert date_in(name) is None


PART = st.sampled_from(
    [
        "März",
        "de marzo",
        "年",
        "月",
        "日",
        "2024",
        "99",
        "1",
        "31",
        "0",
        "Mar",
        "march",
        "th",
        "-",
        "/",
        ".",
        " ",
        ",",
        "T",
        ":",
        "10:00",
        "of",
    ]
)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.lists(PART, max_size=7).map("".join)))
def test_nothing_crashes_it(value: object) -> None:
    found = parse_date(value)
    assert found is None or isinstance(found, date)
    date_in(str(value))


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2027, 12, 31)))
def test_every_day_comes_back_from_its_spellings(day: date) -> None:
    for spelling in ("%Y-%m-%d", "%B %d, %Y", "%d %b %Y", "%a, %d %b %Y 10:00:00 GMT"):
        assert parse_date(day.strftime(spelling)) == day


@pytest.mark.parametrize("day", ["9999-12-31", "31 December 9999", date(9999, 12, 31)])
def test_a_day_that_is_to_come_is_none(day: object) -> None:
    assert parse_date(day) is None
