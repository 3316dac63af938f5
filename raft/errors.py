"""What can go wrong in a way that the user can mend."""

from collections.abc import Sequence


class RaftError(Exception):
    """A problem whose message says what was wrong, where, what is valid and what to do."""


class DataError(RaftError):
    """Everything that is wrong with the data that was read, each problem with its file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        head = f"{len(self.problems)} problems in the data; nothing was written:\n" if len(self.problems) > 1 else ""
        super().__init__(head + "\n".join(self.problems))
