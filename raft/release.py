"""The distribution that brings the packages `raft` and `ratf`, and what is installed beside it that gets in its way."""

from importlib.metadata import Distribution, PackageNotFoundError, distributions, version

DISTRIBUTION = "ratf-eval"
"""Its name for pip. The names `raft` and `ratf` are other people's on the package index."""


OTHERS = {"raft-ft": "raft", "raft": "raft", "ratf": "ratf"}
"""Other people's distributions, each with the package of ours that it overwrites or is overwritten by."""


def release() -> str:
    """Return the version that is installed; `source` where the code runs without being installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "source"


def in_the_way() -> list[str]:
    """Return a sentence for each distribution of other people's that is installed here and has a package of our name."""
    found = {}
    for name, package in OTHERS.items():
        # by name: to look at all takes a fifth of a second, at every start
        for one in distributions(name=name):
            if not _ours(one):
                found[name] = (
                    f"{name} {one.version} is installed here as well, and also has a package {package}: one overwrites the "
                    f"other, and either may fail. Give {DISTRIBUTION} an environment of its own."
                )
    return list(found.values())


def _ours(found: Distribution) -> bool:
    """Whether it is this project under its earlier name."""
    return any(e.group == "inspect_ai" and e.value == "ratf._registry" for e in found.entry_points)
