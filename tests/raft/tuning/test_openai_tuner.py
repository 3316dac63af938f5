import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import Command, begin
from openai_server import OpenAIServer

from raft.errors import DataError, RaftError
from raft.tuning.datasets import make_openai
from raft.tuning.jobs import state_file, tuned_model, tunings
from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner, pauses
from raft.tuning.records import TuningRecord, to_jsonl
from raft.types import TrainingSample

SAMPLES = [
    TrainingSample(f"e{i}", ({"role": "user", "content": f"Question {i}?"},), f"Answer {i}, as I would.")
    for i in range(12)
]
KEY = "sk-secret-Kx93hQz-of-nobody"
CREATE = "POST /fine_tuning/jobs"


class Waits:
    """Notes the pauses and takes none."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


class Tune:
    """Tunes with a state of its own, without waiting; `said` is what was told."""

    def __init__(self, folder: Path) -> None:
        self.state, self.waits, self.said = folder / "tuned.json", Waits(), list[str]()

    def __call__(self, samples: list[TrainingSample] = SAMPLES, base: str = "gpt-4o-mini", **settings: int) -> str:
        return self.tuner(**settings).tune(samples, base)

    def tuner(self, **settings: int) -> OpenAITuner:
        return OpenAITuner(OpenAISettings(**settings), self.state, self.said.append, self.waits)


@pytest.fixture
def tune(openai_server: OpenAIServer, tmp_path: Path) -> Tune:
    return Tune(tmp_path)


def test_a_job_is_made_once_for_the_same_data(tune: Tune, openai_server: OpenAIServer) -> None:
    name = tune()
    assert name.startswith("ft:gpt-4o-mini:loopback:raft-") and tune() == name
    assert len(openai_server.jobs) == len(openai_server.files) == 1
    assert tunings(tune.state)[-1].model == f"openai/{name}"
    assert any("US$" in s for s in tune.said) and any("now running" in s for s in tune.said)
    assert len([s for s in tune.said if "now running" in s]) == 1, "an event is shown once"
    assert sorted(tune.waits.taken) == tune.waits.taken, "looks become rarer"
    assert tune(epochs=2) != name and tune(SAMPLES[1:]) != name and len(openai_server.jobs) == 3


def test_validation_goes_along_when_it_is_large_enough(tune: Tune, openai_server: OpenAIServer) -> None:
    tune.tuner().tune(SAMPLES, "gpt-4o-mini", SAMPLES[:3])
    assert any("3 validation samples are fewer than 10" in s for s in tune.said)
    tune.tuner().tune(SAMPLES, "gpt-4o-mini", SAMPLES[:10])
    first, second = openai_server.jobs.values()
    assert first.validation_file is None and second.validation_file in openai_server.files


def test_bad_samples_are_never_sent(tune: Tune, openai_server: OpenAIServer) -> None:
    with pytest.raises(DataError, match="3 examples; fine-tuning needs at least 10"):
        tune(SAMPLES[:3])
    assert openai_server.requests == [] and not tune.state.exists()


FAULTS = [{"status": 429, "retry_after": 7}, {"status": 500}, {"drop": "before"}, {"drop": "after"}]


@pytest.mark.parametrize("what", ["POST /files", CREATE, "GET /fine_tuning/jobs/ftjob-0001", "GET /files"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_costs_time_but_no_second_job(
    tune: Tune, openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch, what: str, fault: dict[str, object]
) -> None:
    monkeypatch.setattr("openai._base_client.BaseClient._calculate_retry_timeout", lambda *_: 0.01)
    # the client asks three times by itself; a look may fail more often than that
    times = 1 if fault.get("drop") == "after" else 4 if "ftjob" in what else 2
    openai_server.fault(what, times, **fault)
    assert tune().startswith("ft:")
    assert len(openai_server.jobs) == len(openai_server.files) == 1
    if what == CREATE and "retry_after" in fault:
        assert max(tune.waits.taken) >= 7, "the service's own wish is kept"


def test_a_slow_service_is_waited_for_no_longer_than_the_timeout(
    tune: Tune, openai_server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("raft.tuning.openai_tuner.TIMEOUT_SECONDS", 0.2)
    openai_server.fault(CREATE, seconds=0.6)  # the reply comes too late: the job is there all the same
    tune.waits = lambda _: time.sleep(0.6)  # type: ignore[assignment]
    assert tune().startswith("ft:") and len(openai_server.jobs) == 1


def test_a_service_that_stays_broken_is_told_and_the_job_found_again(tune: Tune, openai_server: OpenAIServer) -> None:
    openai_server.fault("GET /fine_tuning/jobs/ftjob-0001", times=1, status=400)
    with pytest.raises(RaftError, match="answered 400: on command"):
        tune()
    assert tunings(tune.state)[-1].job == "ftjob-0001"
    assert tune().startswith("ft:") and len(openai_server.jobs) == 1


def test_a_refusal_is_not_asked_for_again(tune: Tune, openai_server: OpenAIServer) -> None:
    openai_server.fault(CREATE, times=9, status=401, message="Incorrect API key")
    with pytest.raises(RaftError, match="answered 401"):
        tune()
    assert openai_server.asked(CREATE) == 1


def test_a_failed_job_says_why_and_the_next_is_a_new_one(tune: Tune, openai_server: OpenAIServer) -> None:
    openai_server.script.outcome = "failed"
    with pytest.raises(
        RaftError, match=r"ftjob-0001 failed: the training file was not liked \(invalid_training_file\)"
    ):
        tune()
    openai_server.script.outcome = "succeeded"
    assert tune().startswith("ft:") and list(openai_server.jobs) == ["ftjob-0001", "ftjob-0002"]
    assert len(openai_server.files) == 1


def test_a_job_cancelled_elsewhere_is_told(tune: Tune, openai_server: OpenAIServer) -> None:
    openai_server.script.outcome = "cancelled"
    with pytest.raises(RaftError, match="ftjob-0001 was cancelled"):
        tune()


@pytest.mark.parametrize("lost", [False, True])
def test_cancel_finds_the_job_even_when_its_name_was_lost(tune: Tune, openai_server: OpenAIServer, lost: bool) -> None:
    openai_server.script.looks = 10**9

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    tune.waits = stop  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        tune()
    if lost:
        tune.state.write_text(tune.state.read_text().replace('"ftjob-0001"', "null"))
    assert tune.tuner().cancel() == ["ftjob-0001"] and openai_server.jobs["ftjob-0001"].status == "cancelled"
    assert tune.tuner().cancel() == []


def test_pauses_grow_to_a_minute() -> None:
    steps = pauses()
    taken = [next(steps) for _ in range(30)]
    assert taken[0] < 1.3 and 48 <= taken[-1] <= 72 and len(set(taken)) == 30


# The command, as a user runs it


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """A person with fine-tuning files."""
    folder = tmp_path / "people" / "ada"
    (folder / "work").mkdir(parents=True)
    (folder / "person.yaml").write_text("name: Ada\nintroduction: You keep bees.\n")
    records = [
        TuningRecord(
            exchange_id=f"i-q{n:03d}", interview_id="i", date="2020-01-01", split="training",
            question=f"Question {n}?", memories=[], answer="An answer of some words.",
        )
        for n in range(12)
    ]  # fmt: skip
    (folder / "work" / "finetune.jsonl").write_text(to_jsonl(records))
    make_openai(folder, "finetune", 4096, lambda _: None)
    return folder


def tuning(folder: Path, *more: str) -> tuple[object, ...]:
    return ("ft:run", folder, "--model", "openai/gpt-4o-mini", *more)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "waited for nothing"
        time.sleep(0.02)


@pytest.fixture
def killed(ada: Path, openai_server: OpenAIServer) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Run the command and kill it, without a chance to say anything, once something has happened."""

    def kill(happened: Callable[[], object]) -> None:
        run = begin("raft.cli", *tuning(ada))
        until(happened)
        run.kill()
        run.join()

    yield kill


def test_killed_while_polling_and_started_again_leaves_one_job(
    raft: Command, ada: Path, openai_server: OpenAIServer, killed: Callable[[Callable[[], object]], None]
) -> None:
    openai_server.script.looks = 10**9
    killed(lambda: openai_server.asked("GET /fine_tuning/jobs/ftjob-0001") > 1)
    openai_server.script.looks = 1
    run = raft(*tuning(ada))
    assert run.returncode == 0, run.stderr
    assert len(openai_server.jobs) == len(openai_server.files) == 1
    assert run.stdout.strip() == tuned_model(ada) and run.stdout.startswith("openai/ft:gpt-4o-mini:loopback:raft-")


def test_killed_between_create_and_its_reply_leaves_one_job(
    raft: Command, ada: Path, openai_server: OpenAIServer, killed: Callable[[Callable[[], object]], None]
) -> None:
    openai_server.fault(CREATE, slow_reply=60)
    killed(lambda: openai_server.jobs)
    assert tunings(state_file(ada))[-1].job is None
    run = raft(*tuning(ada))
    assert run.returncode == 0 and len(openai_server.jobs) == 1 and tuned_model(ada) == run.stdout.strip()


def test_the_key_is_nowhere(raft: Command, ada: Path, openai_server: OpenAIServer, tmp_path: Path) -> None:
    openai_server.fault("GET /files", status=401, message="Incorrect API key provided: {key}")
    environment = {"OPENAI_API_KEY": KEY, "RATF_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    refused = raft(*tuning(ada), **environment)
    assert refused.returncode == 2 and "answered 401: Incorrect API key provided: (a key)" in refused.stderr
    done = raft(*tuning(ada), **environment)
    assert done.returncode == 0 and {r.key for r in openai_server.requests} == {KEY}
    written = [p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()]
    said = [s.encode() for r in (refused, done) for s in (r.stdout, r.stderr)]
    assert len(written) > 4 and not any(KEY.encode() in text for text in [*written, *said])


def test_what_cannot_be_done_is_said(raft: Command, ada: Path, openai_server: OpenAIServer) -> None:
    shown = raft(*tuning(ada, "--dry-run"))
    assert shown.returncode == 0 and "US$" in shown.stderr and openai_server.requests == []
    (ada / "person.yaml").write_text("name: Ada\nintroduction: You keep wasps.\n")
    stale = raft(*tuning(ada))
    assert stale.returncode == 2 and "run `raft ft:gen" in stale.stderr and openai_server.requests == []
    none = raft(*tuning(ada, "--cancel"))
    assert (none.returncode, none.stdout) == (0, "no job is under way\n")
