"""Every JSON text that people or strangers hand in is read here, within limits that each refusal names."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from raft.errors import DataError, describe

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 60
MAX_VALUES = 1_000_000
"""The greatest number of values in a text, because the smallest take hundreds of times their bytes in memory."""
MAX_DIGITS = 100
MAX_NUMBER = 1e30
"""The greatest size of a number: sums of squares of larger ones are soon no numbers any more."""

_SUSPECT = re.compile(rb"N|I|\d[eE]\+?\d|\d{31}|[\d.]{100}")
"""What NaN, an infinity, and a number too large or too long look like outside of strings."""

Model = TypeVar("Model")


def within_limits(
    text: bytes,
    name: str,
    most_bytes: int = MAX_BYTES,
    most_values: int = MAX_VALUES,
    longest: int | None = None,
) -> bytes:
    """Return `text` as it is, without a byte order mark. Raises DataError, with `name` as the file, where it is too much.

    That is: longer than `most_bytes`, more than `most_values` values, nested deeper than `MAX_DEPTH`, with a string of
    more than `longest` bytes, or with a number of more than `MAX_DIGITS` characters, beyond `MAX_NUMBER`, or not finite.
    Nothing is parsed before that is known, so the check needs little more memory than the text. Whether it is JSON at
    all, the parser says.
    """
    import numpy as np

    if len(text) > most_bytes:
        raise DataError([f"{name}: longer than {most_bytes:,} bytes, the most that is read of JSON"])
    text = text.removeprefix(b"\xef\xbb\xbf")
    plain = text
    if b"\\" in text:  # with escapes gone, every quotation mark begins or ends a string
        plain = text.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    signs = np.frombuffer(plain, dtype=np.uint8)
    marks = signs == ord('"')
    outside = signs[~np.bitwise_xor.accumulate(marks)] if len(signs) else signs
    opening = (outside == ord("[")) | (outside == ord("{"))
    values = np.count_nonzero(outside == ord(",")) + np.count_nonzero(opening)
    # a value and its key have at most four quotation marks
    if values > most_values or np.count_nonzero(marks) > 4 * most_values + 4:
        raise DataError([f"{name}: more than {most_values:,} values, the most that is read of JSON"])
    if longest is not None:
        ends = np.flatnonzero(marks)
        ends = ends[: len(ends) // 2 * 2]
        if (ends[1::2] - ends[::2]).max(initial=0) > longest:
            raise DataError([f"{name}: a text of more than {longest:,} bytes, the most that is read of one here"])
    steps = opening.astype(np.int8) - ((outside == ord("]")) | (outside == ord("}")))
    if len(steps) and np.cumsum(steps[steps != 0], dtype=np.int64).max(initial=0) > MAX_DEPTH:
        raise DataError([f"{name}: nested deeper than {MAX_DEPTH} levels, the most that is read of JSON"])
    if _SUSPECT.search(outside.tobytes()) and (problem := _refused_number(text)):
        raise DataError([f"{name}: {problem}"])
    return text


def parse(text: bytes | str, name: str, first_line: int = 0) -> Any:
    """Return the value of a JSON text, which stands in a file from line `first_line` on where that is not the whole of it.

    Raises DataError as `within_limits` does, or with the line where it is no JSON.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    data = within_limits(data, f"{name}:{first_line}" if first_line else name)
    try:
        return json.loads(data.decode("utf-8", "surrogatepass" if isinstance(text, str) else "strict"))
    except UnicodeDecodeError as error:
        raise DataError([f"{name}: not UTF-8 at byte {error.start}; save the file as UTF-8"]) from None
    except json.JSONDecodeError as error:
        line = error.lineno + max(0, first_line - 1)
        raise DataError([f"{name}:{line}: not JSON: {error.msg} at column {error.colno}"]) from None


def parse_model(
    text: bytes,
    model: type[Model],
    name: str,
    most_bytes: int = MAX_BYTES,
    most_values: int = MAX_VALUES,
    longest: int | None = None,
) -> Model:
    """Return a JSON text as a pydantic model; nothing is converted, so that a text such as "1e308" is no number.

    Raises DataError as `parse` does, and with the first place that the model refuses.
    """
    data = within_limits(text, name, most_bytes, most_values, longest)
    try:
        return TypeAdapter(model).validate_json(data, strict=True)
    except ValidationError as error:
        first, *others = describe(error)
        raise DataError([f"{name}: {first}" + (f", and {len(others)} more problems" if others else "")]) from None


def read_bytes(path: Path, most_bytes: int = MAX_BYTES) -> bytes:
    """Return the content of a file. Raises DataError where there is none, or it cannot be read, or is too long."""
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise DataError([f"{path}: no such file"]) from None
    except OSError as error:
        raise DataError([f"{path}: cannot be read: {error.strerror or error}"]) from None
    if len(data) > most_bytes:
        raise DataError([f"{path}: longer than {most_bytes:,} bytes, the most that is read of JSON"])
    return data


def read_json(path: Path) -> Any:
    """Return the value of a JSON file. Raises DataError as `read_bytes` and `parse` do."""
    return parse(read_bytes(path), str(path))


class _TooLong(ValueError):
    pass


def _refused_number(text: bytes) -> str | None:
    """Return where the first number is that is refused, and why; None where there is none, or no JSON."""

    def whole(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise _TooLong(f"a number of {len(digits):,} digits; one has at most {MAX_DIGITS}")
        return int(digits)

    def real(digits: str) -> float:
        if len(digits) > MAX_DIGITS:
            raise _TooLong(f"a number of {len(digits):,} characters; one has at most {MAX_DIGITS}")
        return float(digits)

    try:
        made = json.loads(text, parse_int=whole, parse_float=real)
    except _TooLong as error:
        return str(error)
    except (ValueError, RecursionError):
        return None
    at, found = next(_too_large(made, ""), ("", None))
    if found is None:
        return None
    limit = f"beyond {MAX_NUMBER:g}, the largest that is read" if math.isfinite(found) else "no number"
    return f"{at or 'the value'} is {found:g}, which is {limit}; a number that is missing is null"


def _too_large(value: Any, at: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, int | float):
        if not abs(value) <= MAX_NUMBER:
            yield at.lstrip("."), float(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _too_large(inner, f"{at}.{key[:80]}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _too_large(inner, f"{at}[{number}]")
