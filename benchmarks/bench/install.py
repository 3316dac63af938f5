"""What an install brings: the size of every package that RATF asks for, by extra, and the largest of them."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.bench.rows import Row

NAME = "ratf-eval"
BARS = {"": 600}


def brought(name: str, extras: frozenset[str]) -> set[str]:
    """The names of all installed packages that a package with these extras asks for."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(name), extras)]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            asked = list(_asked(*one))
        except PackageNotFoundError:
            continue
        found.add(one[0])
        waiting += asked
    return found - {canonicalize_name(name)}


def _asked(name: str, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in distribution(name).requires or []:
        wanted = Requirement(line)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonicalize_name(wanted.name), frozenset(wanted.extras)


def size(name: str) -> float:
    """The megabytes of a package's installed files."""
    files = distribution(name).files or []
    return sum(path.stat().st_size for file in files if (path := file.locate()).is_file()) / 1e6  # type: ignore[attr-defined]


def installs() -> list[Row]:
    """The megabytes of the core and of the core with embedded models."""
    rows = []
    for extra in ("", "local"):
        sizes = {name: size(name) for name in brought(NAME, frozenset({extra} if extra else ()))}
        total, largest = sum(sizes.values()), sorted(sizes, key=lambda n: -sizes[n])[:8]
        said = f"{len(sizes)} packages; largest: " + ", ".join(f"{n} {sizes[n]:.0f}" for n in largest)
        bar = BARS.get(extra)
        rows.append(
            Row("Install", f"`pip install {NAME}{f'[{extra}]' if extra else ''}`", "MB", "less", total, note=said, bar=f"≤ {bar} MB" if bar else "", reached=total <= bar if bar else None)
        )  # fmt: skip
    return rows
