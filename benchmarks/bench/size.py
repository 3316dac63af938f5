"""How time and memory grow: pages, statistics, and results of up to 100,000 answers."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm

from benchmarks.bench.rows import Row, Used, in_turns, process, program
from ratf.results.results import Scored
from ratf.statistics.contrasts import contrasts


def larger(results: Path, questions: int, to: Path) -> Path:
    """The results of a run with so many questions: its own, again and again under other names."""
    raw = json.loads(results.read_text("utf-8"))
    own = raw["questions"]
    raw["questions"] = [
        {**own[n % len(own)], "id": f"{n // len(own):04d}-{own[n % len(own)]['id']}"} for n in range(questions)
    ]
    to.mkdir(parents=True, exist_ok=True)
    path = to / "results.json"
    path.write_text(json.dumps(raw, ensure_ascii=False, indent=1), "utf-8")
    return path


def reports(run: Path, folder: Path, quick: bool) -> list[Row]:
    """The page of 60 and of 5,000 questions, beside only reading the same file, and how both grow."""
    answers = len(json.loads((run / "results.json").read_text("utf-8"))["arms"])
    counts = [60, 500] if quick else [60, 5_000]
    growth = [n // answers for n in ((1_000, 10_000) if quick else (1_000, 10_000, 100_000))]
    used: dict[int, Used] = {}
    read: dict[int, Used] = {}
    megabytes: dict[int, float] = {}
    for n in sorted({*counts, *growth}):
        path = larger(run / "results.json", n, folder / f"of-{n}")
        megabytes[n] = path.stat().st_size / 1e6
        used[n] = process([program("ratf"), "report", str(path.parent), "--out", str(path.parent / "report.html")])
        read[n] = process([sys.executable, "-c", f"import json; json.load(open({str(path)!r}))"])
    rows = [
        Row("Pages", f"`ratf report` of {n:,} questions ({megabytes[n]:.0f} MB of results)", unit, "less", getattr(used[n], field), "only reading the file with Python's json", getattr(read[n], field))
        for n in counts
        for unit, field in (("s", "wall"), ("MB at the peak", "peak"))
    ]  # fmt: skip
    first, last = growth[0], growth[-1]
    for unit, field in (("time", "cpu"), ("memory", "peak")):
        exponent = math.log(getattr(used[last], field) / getattr(used[first], field)) / math.log(last / first)
        theirs = math.log(getattr(read[last], field) / getattr(read[first], field)) / math.log(last / first)
        what = f"`ratf report`: growth of {unit} from 1,000 to {last * answers:,} answers"
        rows.append(
            Row(
                "Pages",
                what,
                "exponent",
                "less",
                exponent,
                "only reading the file",
                theirs,
                "1 is as many times as much as there are answers",
                "≤ 1",
                exponent <= 1,
            )
        )
    return rows  # fmt: skip


def statistics(quick: bool) -> list[Row]:
    """All paired contrasts of twelve arms, beside a regression of statsmodels with clustered errors for each."""
    questions, arms = (1_000, 6) if quick else (10_000, 12)
    rng = np.random.default_rng(0)
    ids = [f"q{n}" for n in range(questions)]
    cluster = {q: f"i{n % 100}" for n, q in enumerate(ids)}
    table = {f"a{a}": rng.normal(0.5, 0.2, questions).round(4) for a in range(arms)}
    scores = {
        a: {"rouge_l": {q: Scored(value=float(v)) for q, v in zip(ids, values, strict=True)}}
        for a, values in table.items()
    }
    pairs = [(a, b) for a in table for b in table if a < b]
    groups = pd.factorize(pd.Series([cluster[q] for q in ids]))[0]
    ones = np.ones((questions, 1))

    def naive() -> None:
        for a, b in pairs:
            fitted = sm.OLS(table[a] - table[b], ones).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
            fitted.conf_int()

    took = in_turns({"ours": lambda: contrasts(scores, pairs, cluster), "statsmodels": naive}, 2 if quick else 3)
    what = f"{len(pairs)} paired contrasts of {questions:,} questions"
    said = "ours also has the exact test of each and Holm's correction"
    return [Row("Statistics", what, "s", "less", took["ours"], "statsmodels OLS with clustered errors, a fit each", took["statsmodels"], said)]  # fmt: skip
