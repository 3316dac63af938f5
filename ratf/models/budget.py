"""The budget of a run: its limits, and what it has spent over all its starts, kept call by call in the run's folder."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raft.errors import RaftError
from raft.files import write_whole
from raft.progress import Progress
from raft.tuning.tuners import tuned_name
from ratf.models.faults import FROM, of_a_service
from ratf.models.prices import HOW, Prices, dollars, is_free, price_of, training_price
from ratf.results.results import STOPPED, RoleSpent, Spent
from ratf.suite.arms import ARMS
from ratf.suite.study import Study


@dataclass(frozen=True)
class Limits:
    """The most US$, tokens and minutes that a run may take; None is no limit."""

    usd: float | None = None
    tokens: int | None = None
    minutes: float | None = None

    def given(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: limit for name, limit in vars(self).items() if limit is not None}


NO_LIMITS = Limits()


class Stopped(RaftError):
    """The run has stopped before its end. It is not measured; what was answered is kept, and the next start goes on."""


class OverBudget(Stopped):
    """The run has stopped at a limit of its budget; started again with a higher limit, it goes on."""


class GaveUp(Stopped):
    """The run has stopped because a service did not reply for too long."""


GIVE_UP_AFTER = 10.0
"""The most minutes that a run waits without one reply of a service."""


GO_ON = "the answers so far are kept: run again when the service replies, and the run continues where it stopped"


GRACE_SECONDS = 60.0
"""How much longer than the budget's minutes a request that is under way is waited for: it is paid, and must be kept."""


TELL_SECONDS = 10.0
"""How often it is told, at most, that a service is waited for."""


ESTIMATED: ContextVar[bool] = ContextVar("estimated", default=False)
"""Whether the tokens of the last reply in this task are an estimate, because the service did not tell them."""


class Meter:
    """A meter counts what a study's run takes and says when it must stop.

    A line of `spent.jsonl` is one call, written as soon as it is answered, so that a kill forgets none. `seconds` are
    those of earlier starts. A reply from the cache takes nothing. `role` is what the run is doing. The meter also stops
    the run after `give_up_after` minutes without one reply of a service, and `tell` gets a line about each such wait.
    """

    def __init__(
        self,
        study: Study,
        limits: Limits,
        prices: Prices,
        seconds: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        give_up_after: float = GIVE_UP_AFTER,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.limits, self.prices, self.role = limits, prices, "answers"
        self.refused = False
        """Whether a request was refused because a limit was reached."""
        self.gave_up = ""
        """Why the run was given up; empty where it was not."""
        self._give_up_after, self._tell, self._told = give_up_after, tell, -math.inf
        self._why, self._since = "", math.inf
        self._now, self._start = now, now() - seconds
        self._path, self._study = study.folder / "spent.jsonl", study.digest
        self._names = _names(study)
        self._lines: list[dict[str, Any]] = []
        self._tokens: int = 0
        self._usd, self._read = 0.0, 0
        _end_last_line(self._path)
        self._catch_up()

    def _catch_up(self) -> None:
        """Count the calls that the file has gained, also by other processes that carry out the same study."""
        lines, self._read = _kept(self._path, self._study, self._read)
        self._lines += lines
        self._tokens += sum(line["tokens"] for line in lines)
        self._usd += sum(line["usd"] or 0.0 for line in lines)

    def knows(self, key: str) -> bool:
        """Whether a call with this key was counted before."""
        return any(line["key"] == key for line in self._lines)

    def add(self, model: str, tokens: int, usd: float | None, key: str = "", estimated: bool = False) -> None:
        """Count one call that was answered and must be paid.

        `usd` is None where the price is unknown; `key` identifies it; `estimated`: its service did not tell the tokens.
        """
        role = self._names.get(model, self.role) if self.role == "answers" else self.role
        line = {"study": self._study, "role": role, "model": model, "tokens": tokens, "usd": usd, "key": key}
        line |= {"estimated": True} if estimated else {}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._catch_up()

    @contextmanager
    def doing(self, role: str) -> Iterator[None]:
        """Count the calls in the `with` block for this role."""
        before, self.role = self.role, role
        try:
            yield
        finally:
            self.role = before

    def spent(self) -> Spent:
        """What the run has spent so far, with the limits and each role's share."""
        roles: dict[str, list[dict[str, Any]]] = {}
        for line in self._lines:
            roles.setdefault(line["role"], []).append(line)
        return Spent(
            usd=_dollars(self._lines),
            tokens=self._tokens,
            minutes=round((self._now() - self._start) / 60, 2),
            limits=self.limits.given(),
            estimated=sum(line.get("estimated", False) for line in self._lines),
            roles={
                role: RoleSpent(calls=len(lines), tokens=sum(x["tokens"] for x in lines), usd=_dollars(lines))
                for role, lines in roles.items()
            },
        )

    def reached(self) -> bool:
        """Whether a limit is reached, or a service was given up, so that no more may be asked."""
        return bool(self.gave_up) or any(amount >= limit for amount, limit in self._amounts().values())

    def check(self) -> None:
        """Raises OverBudget where a limit was passed, or where a request was refused because one was reached.

        Raises GaveUp where a service was given up.
        """
        if self.refused or any(amount > limit for amount, limit in self._amounts().values()):
            raise self.refuse()

    def refuse(self) -> Stopped:
        """Mark the run as stopped, and return the error to raise."""
        self.refused = True
        return GaveUp(self.gave_up) if self.gave_up else OverBudget(self.sentence())

    def ask(self, model: str) -> float:
        """Note that a model's service is asked, and return for how many seconds its reply may be waited for.

        Raises GaveUp where there was no reply for too long.
        """
        self._since = min(self._since, self._now())
        if self.patience_left() <= 0:
            raise self._give_up(model)
        return min(self.patience_left(), self.seconds_left() + GRACE_SECONDS)

    def replied(self) -> None:
        """Note that a service has replied."""
        self._since, self._why = math.inf, ""

    def patience_left(self) -> float:
        """The seconds that are left until the run is given up, where nothing replies."""
        return self._give_up_after * 60 - max(0.0, self._now() - self._since)

    def seconds_left(self) -> float:
        """The seconds that are left of the budget's minutes; infinite without such a limit."""
        return math.inf if self.limits.minutes is None else self.limits.minutes * 60 - (self._now() - self._start)

    def waits(self, model: str, why: str, tries: int, seconds: float) -> None:
        """Tell that a try has failed and when the next one is, but not more often than every TELL_SECONDS."""
        self._why = f"{model}: {why}"
        if self._now() - self._told >= TELL_SECONDS:
            self._told = self._now()
            self._tell(
                f"{self._why}; try {tries} failed, the next is in {seconds:.0f} s; the run gives up after "
                f"{self._give_up_after:g} minutes without a reply"
            )

    def waited_too_long(self, model: str) -> RaftError:
        """The error to raise where one request got no reply in the time that `ask` gave it."""
        if self.seconds_left() <= 0:
            return self.refuse()
        if self.patience_left() <= 0:
            return self._give_up(model)
        return RaftError(f"{self._why or self._no_reply(model)} in time")

    def _no_reply(self, model: str) -> str:
        return f"{model}: it took the request and did not reply"

    def _give_up(self, model: str) -> Stopped:
        self._why = self._why or self._no_reply(model)
        self.gave_up = self.gave_up or (
            f"gave up after {self._give_up_after:g} minutes without one reply, the last trouble was {self._why}; {GO_ON}"
        )
        return self.refuse()

    def reserve(self, what: str, tokens: int, usd: float | None) -> None:
        """Raises OverBudget where `what` would take the run over a limit, or over one in US$ at an unknown price."""
        needs = {"tokens": (self._tokens, tokens), "usd": (self._usd, usd)}
        for name, limit in self.limits.given().items():
            so_far, more = needs.get(name, (0.0, 0.0))
            if more is None or so_far + more > limit:
                self.refused = True
                wanted = "an unknown sum" if more is None else f"about {_amount(name, more)}"
                raise OverBudget(
                    f"over budget: {what} needs {wanted}, {_number(name, so_far)} of {_amount(name, limit)} are spent; "
                    + _go_on([name])
                )

    def sentence(self) -> str:
        """A sentence that says which limit was reached, what each role has spent, and how to go on."""
        said, how = [], []
        spent = self.spent()
        for name, (amount, limit) in self._amounts().items():
            if amount >= limit:
                said.append(f"{_number(name, amount)} of {_amount(name, limit)}")
                how.append(name)
        by = ", ".join(f"{role} {r.tokens:,} tokens" for role, r in spent.roles.items())
        return f"over budget: {' and '.join(said)} spent{f' ({by})' if by else ''}; {_go_on(how)}"

    def _amounts(self) -> dict[str, tuple[float, float]]:
        """What was spent and the limit, by name, for each limit that is set."""
        limits = self.limits.given()
        found: dict[str, tuple[float, float]] = {}
        if limits:
            self._catch_up()
        if "tokens" in limits:
            found["tokens"] = (self._tokens, limits["tokens"])
        if "usd" in limits:
            found["usd"] = (self._usd, limits["usd"])  # a run with an unknown price was refused before
        if "minutes" in limits:
            found["minutes"] = ((self._now() - self._start) / 60, limits["minutes"])
        return found


_current: list[Meter] = []


def current() -> Meter | None:
    """The meter of the run that is under way; None where no run is counted."""
    return _current[-1] if _current else None


@contextmanager
def keeping(meter: Meter, folder: Path) -> Iterator[None]:
    """Count with `meter` inside the `with` block, and stop it at the limits.

    Raises OverBudget where a limit was passed or a request refused, and GaveUp where a service was given up, whatever
    error followed, and leaves its sentence in `folder`. Raises RaftError for an error that came from a service.
    """
    (folder / STOPPED).unlink(missing_ok=True)
    _current.append(meter)
    try:
        meter.check()
        yield
    except Exception as error:
        if not meter.refused and not isinstance(error, Stopped):
            worded = isinstance(error, RaftError) and not hasattr(error, FROM)
            if worded or not (told := of_a_service(error)):
                raise
            raise RaftError(f"{told}; {GO_ON}") from error
        over = error if isinstance(error, Stopped) else meter.refuse()
        write_whole(folder / STOPPED, f"{over}\n")
        raise over from error
    finally:
        _current.remove(meter)


def watched(progress: Progress, meter: Meter) -> Progress:
    """A progress like the given one that raises OverBudget between two steps once a limit was passed."""

    @contextmanager
    def watch(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        with progress(what, total, unit) as advance:

            def go(n: int) -> None:
                advance(n)
                if unit != "bytes":  # a download reports from another thread
                    meter.check()

            yield go

    return watch


def _end_last_line(path: Path) -> None:
    """End a line that a kill cut short, so that the next one is whole."""
    if path.is_file() and (content := path.read_bytes()) and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")


def _kept(path: Path, study: str, start: int) -> tuple[list[dict[str, Any]], int]:
    """The counted calls of this study from the byte `start` on, and the end of the last whole line.

    A line that a kill cut short is not counted.
    """
    if not path.is_file():
        return [], start
    with path.open("rb") as file:
        file.seek(start)
        whole = file.read().rpartition(b"\n")[0]
    found = []
    for line in whole.splitlines():
        try:
            call = json.loads(line)
        except ValueError:
            continue
        if call["study"] == study:
            found.append(call)
    return found, start + len(whole) + (1 if whole else 0)


def _names(study: Study) -> dict[str, str]:
    """The roles of models that do something else while the arms answer, by the model's name."""
    models, rephraser = study.suite.models, study.suite.memories.rephraser
    named = {models.paraphraser: "paraphraser", rephraser: "rephraser"}
    return {model: role for model, role in named.items() if model and model != models.base}


def _dollars(lines: list[dict[str, Any]]) -> float | None:
    """The sum of the calls in US$; None where one of them has no price."""
    known = [line["usd"] for line in lines if line["usd"] is not None]
    return round(sum(known), 6) if len(known) == len(lines) else None


def _number(name: str, amount: float) -> str:
    return f"{amount:,.0f}" if name == "tokens" else dollars(amount) if name == "usd" else f"{amount:,.2f}"


def _amount(name: str, amount: float) -> str:
    return f"{_number(name, amount)} {'US$' if name == 'usd' else name}"


def _go_on(names: list[str]) -> str:
    options = " and ".join(f"--budget-{name}" for name in names)
    return f"the answers so far are kept: run again with a higher {options}, and the run continues where it stopped"


def must_have_prices(study: Study, limits: Limits, prices: Prices) -> None:
    """Raises RaftError where there is a limit in US$, but the price of something that costs money is not known."""
    if limits.usd is None:
        return
    missing = [f"{model} ({role})" for role, model in paid(study) if not _priced(role, model, prices)]
    if missing:
        raise RaftError(f"--budget-usd needs the price of {', '.join(missing)}: {HOW}; or set --budget-tokens")


def paid(study: Study) -> list[tuple[str, str]]:
    """Everything that a run asks of paid services, as (role, model)."""
    models, base = study.suite.models, study.suite.models.base
    tuned = any(ARMS[arm].training != "none" for arm in study.suite.arms)
    asked: list[tuple[str, str | None]] = [
        ("answers", base),
        *([("fine-tuning", base), ("answers of the tuned arms", tuned_name(base))] if tuned else []),
        *(("grader", grader) for grader in study.suite.graders),
        ("paraphraser", models.paraphraser if "paraphrase" in study.suite.controls else None),
        ("rephraser", study.suite.memories.rephraser),
        ("embedder", models.embedder),
        *((f"answers of {arm.name}", arm.model) for arm in study.suite.own),
    ]
    return [(role, model) for role, model in asked if model and "/" in model and not is_free(model)]


def _priced(role: str, model: str, prices: Prices) -> bool:
    return (training_price(model, prices) if role == "fine-tuning" else price_of(model, prices)) is not None
