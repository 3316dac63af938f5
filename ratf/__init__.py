"""RATF, the harness: does this agent really answer like that person, and what made it so?

For notebooks and scripts: `open_study` reads a suite and its people, `plan` says what a run will take, `run` carries it
out (`run_sweep` one of many people or settings), `load` reads a finished one, `check` judges it, `report` writes its page
and `leaderboard` a site of several. `metric` declares a metric of one's own.
Nothing of these is imported before it is used.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ratf._distribution import answer_to_own_name

answer_to_own_name()

if TYPE_CHECKING:
    from ratf.boards.standing import Leaderboard
    from ratf.gate.gate import check
    from ratf.reporting.files import report
    from ratf.results.loading import load
    from ratf.results.results import Results
    from ratf.runner.plan import plan
    from ratf.runner.run import run
    from ratf.suite.own_metrics import metric
    from ratf.suite.study import Study, open_study
    from ratf.suite.suite import Suite
    from ratf.sweep.run import run_sweep
else:
    _HOMES = {
        "Results": "ratf.results.results",
        "Study": "ratf.suite.study",
        "Suite": "ratf.suite.suite",
        "check": "ratf.gate.gate",
        "load": "ratf.results.loading",
        "metric": "ratf.suite.own_metrics",
        "open_study": "ratf.suite.study",
        "plan": "ratf.runner.plan",
        "report": "ratf.reporting.files",
        "run": "ratf.runner.run",
        "run_sweep": "ratf.sweep.run",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'ratf' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


__all__ = [
    "Results",
    "Study",
    "Suite",
    "check",
    "leaderboard",
    "load",
    "metric",
    "open_study",
    "plan",
    "report",
    "run",
    "run_sweep",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# here, because boards, reports and records of verifications are on floors that do not know each other
def leaderboard(
    runs: "Sequence[Results | Path | str]",
    out: Path | str | None = None,
    *,
    verified: Sequence[Path | str] = (),
    redact: bool = False,
    public: bool = False,
    data: Path | str | None = None,
) -> "Leaderboard":
    """How the systems of finished runs stand, on a board for each thing that was measured; nothing is run.

    `runs` are results, runs' folders, their addresses in a store, their `results.json` or bundles. With `out`, the site is written there, with each run's
    report; an older site in that folder is replaced. The run of many people or settings stands for all of its runs. `verified` are records of `ratf verify --record`, whose runs are marked.
    `redact` and `public`, with the people's folders in `data`, are for the reports, as in `report`.

    Raises RaftError for runs that cannot be read or shown, and where `out` holds something else.
    """
    from ratf.boards.entry import Entry
    from ratf.boards.leaderboard import leaderboard as board_of
    from ratf.boards.site import site, write_site
    from ratf.pages.redact import shown
    from ratf.reporting.changes import against
    from ratf.reporting.files import write_report
    from ratf.results.comparable import run_digest
    from ratf.results.loading import load
    from ratf.results.results import Results
    from ratf.review.record import verified_runs
    from ratf.sweep.dataset import entries
    from ratf.sweep.store import here

    pages: dict[str, partial[None]] = {}

    def whole_of(run: Results | Path | str) -> Results:
        return run if isinstance(run, Results) else load(run)

    def page(run: Results | Path | str, path: Path) -> None:
        whole = whole_of(run)
        results = shown(whole, redact, public, Path(data) if data else None)
        write_report(results, path, None if isinstance(run, Results) else against(whole, Path(run)))

    def read() -> Iterator[Results | Entry]:
        """One run in memory at a time, and of a sweep none; what may not be shown is refused before anything is written."""
        for run, entry in entries([run if isinstance(run, Results) else here(run, cells=True) for run in runs]):
            if entry and not (out is not None and public):
                pages.setdefault(entry.ran.id, partial(page, run))
                yield entry
                continue
            whole = whole_of(run)
            if out is not None and public:
                shown(whole, redact, public, Path(data) if data else None)
            pages.setdefault(run_digest(whole)[:12], partial(page, run))
            yield whole

    board = board_of(read(), verified_runs(Path(v) for v in verified))
    if out is not None:
        write_site(site(board), Path(out), pages)
    return board
