"""Which templates a page was made from."""

import hashlib
from pathlib import Path

from ratf.content import content


def template_digest() -> str:
    """Changes with any file in `reports/`."""
    digest = hashlib.sha256()
    for path in sorted(content("reports").glob("*")):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:12]


def made_from_these(page: Path) -> bool:
    """Whether the page is there and was made from today's templates."""
    return page.is_file() and f'content="{template_digest()}"' in page.read_text("utf-8")[:2000]
