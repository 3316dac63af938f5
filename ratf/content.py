"""The place of suites, task files, page templates and pipelines, in an installed wheel and in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_ROOT = _PACKAGE / "_content" if (_PACKAGE / "_content").is_dir() else _PACKAGE.parent


def content(*parts: str) -> Path:
    """A file or folder of `benchmarks/`, `docs/ci/`, `reports/` or `tasks/`, as `content("reports", "reporting/page.html.j2")`."""
    return _ROOT.joinpath(*parts)
