"""Lets Inspect know this package, which the distribution `ratf-eval` brings, by its own name.

Inspect names what it finds after the distribution that is called like the package. In an editable install there is none:
then `inspect eval ratf/interview` found no task, and a log's `ratf/…` could not be scored.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, DistributionFinder, PackageNotFoundError, distribution

_ANY = DistributionFinder.Context()


class _OwnName(DistributionFinder):
    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        """Find no module: this finder is for distributions alone."""

    def find_distributions(self, context: DistributionFinder.Context = _ANY) -> Iterator[Distribution]:
        """Yield the distribution where it is asked for by the package's name; not where all are listed."""
        if context.name == "ratf":
            from raft.release import DISTRIBUTION

            try:
                yield distribution(DISTRIBUTION)
            except PackageNotFoundError:
                return


def answer_to_own_name() -> None:
    """Have `importlib.metadata` find the distribution under the package's name, where no other has that name."""
    if not any(isinstance(finder, _OwnName) for finder in sys.meta_path):
        sys.meta_path.append(_OwnName())
