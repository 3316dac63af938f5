"""What a run could show, in one plain sentence, from its plan: whether it is worth starting."""

from collections.abc import Sequence

from ratf.runner.plan import Plan
from ratf.statistics.power import Smallest, smallest
from ratf.suite.metrics import metric, title

TOO_LARGE = 0.5
"""The share of a metric's scale from which on the smallest difference that can be shown makes a run pointless."""

WORTH_SHOWING = 0.25
"""The share of the scale that enough interviews would let a run show."""

MOST_INTERVIEWS = 60
"""The greatest number of interviews that is advised."""


def prospect(plan: Plan, sizes: Sequence[int]) -> str:
    """What the verdict of a run can show at best, in a sentence or two; `sizes` are the questions of each interview.

    Where no primary metric can show a difference of less than half of its scale, the sentence says to stop and what to
    add first.
    """
    found = [next(s for s in plan.smallest if s.metric == name) for name in plan.primary]
    if len(sizes) < 2:
        return (
            "This run cannot show any difference: one held-out interview gives no interval. Stop here and hold out six "
            "interviews (split.held_out_interviews), of twelve or more in all."
        )
    shown = [s for s in found if _share(s) < TOO_LARGE]
    if shown:
        said = " and ".join(f"{s.difference:.2f} or more in {title(s.metric)} ({s.metric})" for s in shown)
        return f"This run can show a difference of {said}; a smaller one will most likely end as INCONCLUSIVE."
    least = min(found, key=_share)
    scale = f", and the whole scale is {metric(least.metric).top:g}"
    return (
        f"This run cannot show a difference in {title(least.metric)} ({least.metric}) under {least.difference:.2f}{scale}: "
        f"that is {'more than everything' if _share(least) > 1 else 'nearly everything'}. Stop here and {_remedy(least, sizes)}."
    )


def _share(found: Smallest) -> float:
    """The smallest difference as a share of the metric's scale; 0 for a metric without one."""
    top = metric(found.metric).top
    return found.difference / top if top and found.difference is not None else 0.0


def _remedy(found: Smallest, sizes: Sequence[int]) -> str:
    each, top = max(1, round(sum(sizes) / len(sizes))), metric(found.metric).top or 1.0
    for number in range(len(sizes) + 1, MOST_INTERVIEWS + 1):
        least = smallest([each] * number, found.sd, found.icc)
        if least is not None and least <= WORTH_SHOWING * top:
            return (
                f"hold out more interviews (split.held_out_interviews), or bring more first: {number} of {each} questions each "
                f"could show {least:.2f}"
            )
    return f"bring more interviews first: {MOST_INTERVIEWS} of {each} questions each would still be too few"
