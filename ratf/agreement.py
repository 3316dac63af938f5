"""Do readers agree, does a judge agree with them, and what would its rate be without its errors?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

EPSILON = 0.15
"""What a judge's being cheap is worth in the alt-test: Calderon et al. 2025, arXiv 2501.10970, use 0.15 for experts."""

Votes = Mapping[str, Mapping[str, bool]]
"""rater -> item -> vote"""


def alpha(votes: Votes) -> float | None:
    """Krippendorff's alpha (nominal) over all items with two votes or more; None where it is not defined."""
    from evalica import alpha as krippendorff

    items = sorted({item for of_rater in votes.values() for item in of_rater})
    table = [[float(of_rater[i]) if i in of_rater else np.nan for i in items] for of_rater in votes.values()]
    seen = {x for row in table for x in row if not np.isnan(x)}
    if len(table) < 2 or len(seen) < 2 or not any(sum(i in v for v in votes.values()) > 1 for i in items):
        return None
    import pandas as pd

    return float(krippendorff(pd.DataFrame(table), distance="nominal").alpha)


@dataclass(frozen=True)
class AltTest:
    """`winning` is the share of readers that the judge may replace; the judge passes from one half on."""

    winning: float
    advantage: float
    """How often the judge agrees with the other readers at least as well as the reader left out."""
    readers: int

    @property
    def passed(self) -> bool:
        """Whether the judge represents the readers at least as well as one of them does."""
        return self.winning >= 0.5


def alt_test(votes: Votes, judge: Mapping[str, bool], epsilon: float = EPSILON, level: float = 0.05) -> AltTest | None:
    """May the judge stand in for a reader (Calderon, Reichart & Dror 2025, arXiv 2501.10970)?

    Each reader is left out in turn. On each of their items, the judge and the reader score the share of the other
    readers' votes that they agree with. The judge wins against the reader when a one-sided paired t test rejects that
    it is worse by `epsilon` or more, with the Benjamini-Yekutieli correction over readers. None with fewer than three
    readers, or where no reader shares two items with the judge and another reader.
    """
    from scipy import stats

    p_values, advantages = [], []
    for reader, own in votes.items():
        differences = []
        for item in sorted(own.keys() & judge.keys()):
            others = [v[item] for name, v in votes.items() if name != reader and item in v]
            if others:
                share = float(np.mean(others))
                agreement = {True: share, False: 1 - share}
                differences.append(
                    float(agreement[judge[item]] >= agreement[own[item]])
                    - float(agreement[own[item]] >= agreement[judge[item]])
                )
        if len(differences) < 2:
            continue
        d = np.array(differences)
        advantages.append(float((d >= 0).mean()))
        spread = d.std(ddof=1)
        if spread == 0:
            p_values.append(0.0 if d.mean() > -epsilon else 1.0)
        else:
            p_values.append(float(stats.t.sf((d.mean() + epsilon) / (spread / np.sqrt(len(d))), len(d) - 1)))
    if len(votes) < 3 or not p_values:
        return None
    rejected = stats.false_discovery_control(p_values, method="by") <= level
    return AltTest(float(rejected.mean()), float(np.mean(advantages)), len(p_values))


def sensitivity_specificity(truth: Sequence[bool], said: Sequence[bool]) -> tuple[float | None, float | None]:
    """P(said yes | yes) and P(said no | no); None where there is nothing of that kind."""
    yes = [s for t, s in zip(truth, said, strict=True) if t]
    no = [not s for t, s in zip(truth, said, strict=True) if not t]
    return (float(np.mean(yes)) if yes else None), (float(np.mean(no)) if no else None)


def corrected_rate(observed: float, sensitivity: float, specificity: float) -> float | None:
    """theta = (p + q0 - 1) / (q0 + q1 - 1) (Rogan & Gladen 1978; for judges arXiv 2511.21140), kept in 0..1.

    None where the rater tells nothing: q0 + q1 near 1.
    """
    power = sensitivity + specificity - 1
    if power < 0.1:
        return None
    return float(np.clip((observed + specificity - 1) / power, 0.0, 1.0))


def d_prime(right: int, wrong: int) -> float:
    """Two-alternative forced choice: sqrt(2) * z(share right), with the log-linear correction (Hautus 1995)."""
    return float(np.sqrt(2) * NormalDist().inv_cdf((right + 0.5) / (right + wrong + 1)))
