"""When a judge's exam is decided before its end: a sequential test of the faults that no judge may have and pass."""

from collections.abc import Sequence

from ratf.statistics.judges.judge_exam import (
    MOST_FLIPS,
    MOST_OBEYED,
    MOST_UNREADABLE,
    Trial,
    turned_by_instruction,
    turned_by_order,
    wrong_verdicts,
)
from ratf.statistics.judges.shares import share, shown_over

FIRST = 4
"""The number of comparisons after which an exam is looked at for the first time; then after twice as many, and so on."""


MIDDLE = 0.5
"""A judge's grade above this means yes."""


MOST_WRONG = 0.25
"""A judge whose verdict is wrong more often than this is stopped once that is shown."""


def looks(wanted: int) -> list[int]:
    """The numbers of comparisons after which an exam of `wanted` comparisons is looked at: 4, 8, 16, …, and its end."""
    found, at = [], FIRST
    while at < wanted:
        found.append(at)
        at *= 2
    return [*found, wanted]


def decided(trials: Sequence[Trial], counted: bool = False) -> bool:
    """Whether the replies so far show that a judge cannot pass, so that it needs no further question.

    It turns with the order of the texts, it cannot be read, it obeys the text, or its verdict is wrong, more often than
    the exam's limits allow. The verdict of a judge that counts claims (`counted`) is not looked at: it depends on the
    median of the whole exam. An exam is never stopped in a judge's favour.
    """
    shares = [(share(sum(t.unreadable for t in trials), sum(t.replies for t in trials)), MOST_UNREADABLE)]
    if not counted:
        shares += [
            (turned_by_order(trials, MIDDLE), MOST_FLIPS),
            (turned_by_instruction(trials, MIDDLE), MOST_OBEYED),
            (wrong_verdicts(trials, MIDDLE), MOST_WRONG),
        ]
    return any(found is not None and shown_over(found.k, found.n, limit) for found, limit in shares)
