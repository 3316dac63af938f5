"""How often do the gate and the intervals err? Simulated suites, cell by cell.

`python benchmarks/aa.py` writes the table of docs/statistics.md anew, in about a minute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from ratf.gate.gate import settle
from ratf.gate.policy import read_rule
from ratf.gate.rules import compared
from ratf.statistics.estimates import clustered_means

SHARED = 0.3
"""Of a score's variance: what both arms owe to the question."""
SHIFT = 0.3
"""The real difference of the last column, in standard deviations of the latent score."""
INTERVIEWS, ICCS = (5, 6, 10, 20), (0.0, 0.1, 0.3)
GATE_SUITES, COVERAGE_SUITES = 1000, 4000
RULES = [
    rule
    for metric in ("style.identity", "embedding.rank", "rouge.l")
    if (rule := read_rule(f"raft not worse than the baseline run on {metric}", "critical"))
]
Array = np.ndarray


@dataclass(frozen=True)
class Kind:
    """A kind of score: made of a standard normal one, and its mean when that is moved by m."""

    score: Callable[[Array], Array]
    mean: Callable[[float], float]


KINDS = {
    "normal": Kind(lambda z: z, lambda m: m),
    "skewed (log-normal)": Kind(np.exp, lambda m: float(np.exp(m + 0.5))),
    "bounded, most near 1": Kind(lambda z: ndtr(2 * z + 1.5), lambda m: float(ndtr((2 * m + 1.5) / 5**0.5))),
    "binary, half": Kind(lambda z: (z > 0).astype(float), lambda m: float(ndtr(m))),
    "binary, one in ten": Kind(lambda z: (z > 1.2816).astype(float), lambda m: float(ndtr(m - 1.2816))),
}


@dataclass(frozen=True)
class Cell:
    """Shares of simulated suites."""

    failed: float
    """The gate said REGRESSION, three rules in the policy, no difference in truth."""
    null: float
    real: float
    one_arm: float
    """Intervals that held the truth: of no difference, of a real one, of one arm's mean."""


def simulate(kind: Kind, interviews: int, icc: float, gate: int, coverage: int, seed: int) -> Cell:
    """One cell. Interviews have 3 to 9 questions; each arm has an interview effect of its own, with `icc` of the variance."""
    random = np.random.default_rng(seed)
    sizes = [3 + (4 * g) % 7 for g in range(interviews)]
    clusters = [f"{g:02d}" for g, size in enumerate(sizes) for _ in range(size)]
    member = np.repeat(np.arange(interviews), sizes)

    def latent(rows: int) -> tuple[Array, Array]:
        question = random.normal(0, SHARED**0.5, (rows, len(clusters)))
        own = [
            random.normal(0, icc**0.5, (rows, interviews))[:, member]
            + random.normal(0, (1 - SHARED - icc) ** 0.5, (rows, len(clusters)))
            for _ in range(2)
        ]
        return question + own[0], question + own[1]

    a, b = latent(coverage)
    null = _covered(kind.score(a) - kind.score(b), clusters, 0.0)
    real = _covered(kind.score(a + SHIFT) - kind.score(b), clusters, kind.mean(SHIFT) - kind.mean(0))
    one_arm = _covered(kind.score(a), clusters, kind.mean(0))
    a, b = latent(gate * len(RULES))
    found = clustered_means(kind.score(a) - kind.score(b), clusters)
    failed = 0
    for suite in range(gate):
        estimates = found[suite * len(RULES) : (suite + 1) * len(RULES)]
        findings = [compared(rule, e) for rule, e in zip(RULES, estimates, strict=True) if e]
        failed += settle(findings, [])[0] == "REGRESSION"
    return Cell(failed / gate, null, real, one_arm)


def _covered(differences: Array, clusters: list[str], truth: float) -> float:
    found = [e for e in clustered_means(differences, clusters) if e]
    return sum(e.low <= truth <= e.high for e in found if e.low is not None and e.high is not None) / len(found)


def table() -> str:
    """In Markdown; coverage outside 93 to 97 % is bold."""
    head = ("score", "interviews", "ICC", "false failures", "no difference", "a real one", "one arm's mean")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for number, (name, kind) in enumerate(KINDS.items()):
        for interviews in INTERVIEWS:
            for icc in ICCS:
                seed = 1000 * number + 10 * interviews + int(10 * icc)
                cell = simulate(kind, interviews, icc, GATE_SUITES, COVERAGE_SUITES, seed)
                shares = [
                    f"{share:.1%}" if 0.93 <= share <= 0.97 else f"**{share:.1%}**"
                    for share in (cell.null, cell.real, cell.one_arm)
                ]
                lines.append(f"| {name} | {interviews} | {icc:g} | {cell.failed:.1%} | {' | '.join(shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Put the table between its marks on the page."""
    page = Path(__file__).parent.parent / "docs" / "statistics.md"
    before, _, rest = page.read_text("utf-8").partition("<!-- table -->\n")
    _, _, after = rest.partition("\n<!-- end of table -->")
    page.write_text(f"{before}<!-- table -->\n{table()}\n<!-- end of table -->{after}", "utf-8")


if __name__ == "__main__":
    main()
