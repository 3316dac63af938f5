"""What is too much for JSON is refused before it is parsed; the limit is named."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raft.errors import DataError
from raft.formats import json_file
from raft.formats.json_file import MAX_DEPTH, MAX_NUMBER, MAX_VALUES, parse, parse_model, read_json, within_limits

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(-1e20, 1e20, allow_nan=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=30,
)


@given(PLAIN, st.booleans())
def test_what_is_within_the_limits_is_read_as_json_does(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only), "a.json") == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, f"nested deeper than {MAX_DEPTH} levels"),
        ('{"a":' * 100 + "1" + "}" * 100, f"nested deeper than {MAX_DEPTH} levels"),
        ("[" + "0," * MAX_VALUES + "0]", f"more than {MAX_VALUES:,} values"),
        ("[" + "{}," * (MAX_VALUES // 2) + "{}]", f"more than {MAX_VALUES:,} values"),
        ("[" + "9" * 5000 + "]", "a number of 5,000 digits"),
        ("[0." + "3" * 5000 + "]", "a number of 5,002 characters"),
        ('{"a": [1, NaN]}', r"a[1] is nan, which is no number"),
        ('{"a": {"b": -Infinity}}', "a.b is -inf, which is no number"),
        ('{"a": 1e999}', "a is inf, which is no number"),
        ('{"a": 1e308}', f"a is 1e+308, which is beyond {MAX_NUMBER:g}"),
        ('{"a": 1' + "0" * 40 + "}", f"a is 1e+40, which is beyond {MAX_NUMBER:g}"),
        ("\n\n{,}", "a.json:3: not JSON"),
        ("", "a.json:1: not JSON"),
        ('"\\', "not JSON"),
    ],
)
def test_what_is_too_much_is_refused_with_the_limit(text: str, says: str) -> None:
    with pytest.raises(DataError, match=re.escape(says)) as caught:
        parse(text, "a.json")
    assert str(caught.value).startswith("a.json") and len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["x" * 101, "\\" * 101, '"' * 101, "é" * 51])
def test_a_text_may_be_as_long_as_is_said(text: str) -> None:
    long, short = (json.dumps({"a": "", "b": t}, ensure_ascii=False).encode() for t in (text, text[:40]))
    assert within_limits(short, "a.json", longest=100) == short and within_limits(long, "a.json") == long
    with pytest.raises(DataError, match=r"a\.json: a text of more than 100 bytes"):
        within_limits(long, "a.json", longest=100)


def test_marks_that_belong_to_no_value_are_too_much_as_well() -> None:
    with pytest.raises(DataError, match="more than 10 values"):
        within_limits(b'""' * 23, "a.json", most_values=10, longest=100)


def test_signs_inside_of_texts_do_not_count() -> None:
    said = ["[[[[{{{{,,,," * 200, '\\"[NaN,', "\\", '"' + "9" * 5000, "1e308 Infinity"]
    assert parse(json.dumps(said), "a.json") == said


def test_of_two_values_a_text_is_no_number() -> None:
    for text in (b'{"a": "1e308"}', b'{"a": "nan"}', b'{"a": true}'):
        with pytest.raises(DataError, match=r"a\.json: a: Input should be a valid number"):
            parse_model(text, dict[str, float], "a.json")
    assert parse_model(b'{"a": 1}', dict[str, float], "a.json") == {"a": 1.0}


def test_a_file_is_read_up_to_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(path) == [1]
    with pytest.raises(DataError, match="longer than 4 bytes"):
        within_limits(b"[1, 2]", "a.json", most_bytes=4)
    for made in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(DataError, match=r"cannot be read|no such file"):
            read_json(made)
    path.write_bytes(b'"\xff"')
    with pytest.raises(DataError, match="not UTF-8 at byte 1"):
        read_json(path)
    monkeypatch.setattr(json_file, "MAX_DEPTH", 1)
    with pytest.raises(DataError, match="nested deeper than 1 levels"):
        parse("[[]]", "a.json")
