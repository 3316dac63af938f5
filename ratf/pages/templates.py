"""The templates in `reports/`, and which of them a page was made from."""

import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ratf.content import content


def environment(**more: Any) -> Environment:
    """The Jinja environment of all pages: what people and models said is escaped, and a missing name is an error."""
    return Environment(
        loader=FileSystemLoader(content("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **more,
    )


def template_digest() -> str:
    """A digest of the files in `reports/`, which changes with any of them."""
    digest = hashlib.sha256()
    for path in sorted(content("reports").rglob("*")):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:12]


def made_from_these(page: Path) -> bool:
    """Whether the page is there and was made from today's templates."""
    return page.is_file() and f'content="{template_digest()}"' in page.read_text("utf-8", "replace")[:2000]
