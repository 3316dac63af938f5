"""Names that stay: the same page or file has the same `doc_id` in every run."""

import hashlib
import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_TRACKING = re.compile(r"utm_.*|fbclid|gclid|mc_[ce]id|ref_src")


def is_link(source: str) -> bool:
    """Whether it is a web address, rather than a file or something broken."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def canonical(link: str) -> str:
    """A link without what does not change the page: scheme, `www.`, fragment, trackers, last slash."""
    parts = urlsplit(link.strip())
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(k)])
    host = parts.netloc.lower().removeprefix("www.")
    return host + parts.path.rstrip("/") + (f"?{query}" if query else "")


def id_of_link(link: str) -> str:
    """The `doc_id` of what a link shows: the last word of its path, for people, and a digest."""
    name = canonical(link)
    return _named(unquote(name.partition("?")[0].rpartition("/")[2]), name)


def id_of_text(title: str, *rest: str) -> str:
    """The `doc_id` of what has no link: its title, for people, and a digest of the title and `rest`."""
    return _named(title, "\n".join((title, *rest)))


def _named(words: str, whole: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60].rstrip("-")
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{slug}-{digest}" if slug else digest
