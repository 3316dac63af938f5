"""How files are spoilt at random: bytes, values of JSON, and what is inside of an archive."""

import json
import sys
import zipfile
from copy import deepcopy
from io import BytesIO
from typing import Any

from hypothesis import strategies as st

NASTY: list[Any] = [
    None, True, -1, 0, 10**40, 10**5000, 1e308, float("nan"), float("inf"), "", " ", "x" * 30_000, "\ud800", "\u202e<b>",
    "../x", "/etc/passwd", "NaN", "1e308", "2024-13-45", "{real:>9999999}", [], {}, [[[[[]]]]], {"a": {"b": {}}}, ["x"] * 2000,
]  # fmt: skip
TOKENS = [
    b"&a [*a]", b"*a", b"&a ", b"<<: *a\n", b"{", b"[", b"[" * 500, b'{"a":' * 500, b"9" * 5000, b"1e999", b".inf", b"NaN",
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"!!python/object/apply:os.system [x]", b"? ", b"---\n",
    b"...\n", b"\t", b"\r", b"\n", b"# ", b"'", b'"', b": ", b"- ", b"0x1F", b"1_0", b"1:30:00", b"yes", b"~", b"|\n", b"%",
    b"2024-02-30", b"\xe2\x80\xa8", b",", b"}", b"]", b"\0\0\0",
]  # fmt: skip


def dumps(value: Any) -> bytes:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value).encode()
    finally:
        sys.set_int_max_str_digits(before)


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """The bytes after one to four cuts, repeats, insertions, replaced lines and flipped bits."""
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        to = min(len(content), at + draw(st.integers(0, 60)))
        token = draw(st.sampled_from(TOKENS))
        how = draw(st.sampled_from(["cut", "repeat", "insert", "swap", "value", "flip", "end"]))
        if how == "cut":
            content = content[:at] + content[to:]
        elif how == "repeat":
            content = content[:to] + content[at:to] * draw(st.integers(1, 30)) + content[to:]
        elif how == "insert":
            content = content[:at] + token + content[at:]
        elif how == "swap":
            content = content[:at] + token + content[to:]
        elif how == "value":  # the rest of the line after a colon
            colon = content.find(b":", at)
            end = content.find(b"\n", colon)
            content = content[: colon + 1] + b" " + token + (content[end:] if end > colon else b"")
        elif how == "flip" and at < len(content):
            content = content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]
        elif how == "end":
            content = content[:at]
    return content


@st.composite
def rebuilt(draw: st.DrawFn, whole: bytes) -> bytes:
    """The JSON with one to three of its values replaced, taken out, repeated or given another key."""
    value = json.loads(whole)
    for _ in range(draw(st.integers(1, 3))):
        parent: Any = None
        key: Any = None
        at: Any = value
        while isinstance(at, dict | list) and at and (parent is None or draw(st.integers(0, 4))):
            parent, key = at, draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
            at = parent[key]
        if parent is None:
            continue
        how = draw(st.sampled_from(["replace", "replace", "remove", "rename", "wrap"]))
        if how == "remove":
            parent.pop(key)
        elif how == "wrap":
            parent[key] = [at, at]
        elif how == "rename" and isinstance(parent, dict):
            parent["of_the_future"] = parent.pop(key)
        else:
            parent[key] = deepcopy(draw(st.sampled_from(NASTY)))  # what is drawn must not be changed by the next step
    return dumps(value)


def unpacked(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(files: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()
