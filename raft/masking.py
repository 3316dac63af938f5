"""The secrets that this process knows, so that they are in nothing that it writes."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_NAMES = re.compile(
    r"(?:^|_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|PAT|CREDENTIALS?|AUTH|AUTHORIZATION|BEARER|COOKIES?"
    r"|SIG|SIGNATURE|HEADERS?)(?:_|$)|_PWD$"
)
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://[^\s\"'<>]+")
_SHORTEST = 8
"""A shorter value would stand in many a text by chance."""


MASK = "(a key)"

Thing = TypeVar("Thing")


def secrets() -> Iterator[str]:
    """Values of environment variables that are named as secrets are, and what addresses hold; the longest first.

    Of an address, that is its password, and the parameters that are named as secrets are.
    """
    found: set[str] = set()
    for name, value in os.environ.items():
        if _NAMES.search(name.upper()):
            # a header is `Name: Bearer value`, of which a service may repeat the value alone
            found |= {value.strip(), *(word for word in value.split() if len(word) >= 2 * _SHORTEST)}
        for address in _ADDRESS.findall(value):
            found |= set(_in_address(address))
    yield from sorted((s for s in found if len(s) >= _SHORTEST), key=len, reverse=True)


def _in_address(address: str) -> Iterator[str]:
    try:
        parts = urlsplit(address)
        password = parts.password or ""
    except ValueError:
        return
    yield from (password, unquote(password))
    for name, value in parse_qsl(parts.query):
        if _NAMES.search(name.upper().replace("-", "_")):
            yield value


def masked(text: str) -> str:
    """The text without the secrets, also where they are written as in JSON or in an address."""
    for secret in secrets():
        for written in dict.fromkeys((secret, json.dumps(secret)[1:-1], quote(secret, safe=""))):
            text = text.replace(written, MASK)
    return text


def without_secrets(thing: Thing) -> Thing:
    """A pydantic object like the given one, without the secrets; the very same where it has none."""
    model: Any = thing
    text = model.model_dump_json()
    clean = masked(text)
    return thing if clean == text else type(model).model_validate_json(clean)
