"""Models are fine-tuned by a job of OpenAI, or of another service that speaks its protocol (`OPENAI_BASE_URL`).

A job costs money, so there is never a second one for the same data and base. Uploaded files and created jobs are
recorded before anything waits for them. Where a kill or a lost reply prevented that, they are found again by the digest
of data and settings, which the files have in their names and the jobs in their metadata.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from raft.errors import DataError, RaftError
from raft.models.names import TIMEOUT_SECONDS, refusals
from raft.tuning.jobs import Tuning, keep, tunings
from raft.tuning.openai_format import MIN_EXAMPLES, check, cost, openai_jsonl
from raft.types import TrainingSample

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
ATTEMPTS = 6
"""The number of attempts at a request that fails, in a row, before its error is raised."""


TAG = "raft"
"""The key of a job's metadata that holds the digest of data and settings."""


class OpenAISettings(BaseModel):
    """The settings of tuning; a setting that is None is left to the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int | None = Field(None, ge=1)
    batch: int | None = Field(None, ge=1)
    learning_rate_multiplier: float | None = Field(None, gt=0)
    seed: int = 0


def pauses(first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Yield pauses in seconds that grow by half each time, up to `longest`.

    Each is varied at random by up to a fifth, so that many clients do not return at the same moment.
    """
    pause = first
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(longest, pause * 1.5)


class OpenAITuner:
    """A `Tuner` by a job of OpenAI.

    `state` is the file that records jobs; `say` is called with the text of each event, `pause` with seconds to wait.
    `price` is in US$ per million tokens, for the estimate.
    """

    def __init__(
        self,
        settings: OpenAISettings,
        state: Path,
        say: Callable[[str], None] = lambda text: None,
        pause: Callable[[float], None] = time.sleep,
        price: float | None = None,
    ) -> None:
        self.settings, self.state, self.price = settings, state, price
        self._say, self._pause = say, pause

    def tune(self, samples: Sequence[TrainingSample], base: str, validation: Sequence[TrainingSample] = ()) -> str:
        """Return the name of the tuned model, `ft:…`.

        Raises DataError, with nothing sent, where the samples break a rule, and RaftError where the service refuses,
        cannot be reached, or its job fails.
        """
        return self.tune_files(openai_jsonl(samples).encode(), openai_jsonl(validation).encode(), base)

    def tune_files(self, training: bytes, validation: bytes, base: str, names: tuple[str, str] = ("", "")) -> str:
        """Tune as `tune` does, with files' content in OpenAI's format; `names` are the files' names in problems."""
        files = self.checked(training, validation, base, names)
        with self._client() as client, refusals(base):
            tuning = self._started(client, files, base)
            if tuning.model is None:
                tuning = self._finished(client, tuning)
        keep(self.state, tuning)  # also where it was finished before: the model asked for last stands last
        return str(tuning.model).removeprefix("openai/")

    def checked(
        self, training: bytes, validation: bytes, base: str, names: tuple[str, str] = ("", "")
    ) -> dict[str, bytes]:
        """Return the files to send, by their part, and say what they cost. Raises DataError with all their problems.

        The service does not require validation: a set that is too small to be accepted is left out, and that is said.
        """
        found = check(training, names[0] or "training", base)
        other = check(validation, names[1] or "validation", base, minimum=0)
        if found.problems or other.problems:
            raise DataError([*found.problems, *other.problems])
        self._say(cost(found, base, self.settings.epochs, self.price))
        if other.examples < MIN_EXAMPLES:
            if other.examples:
                self._say(f"{other.examples} validation samples are fewer than {MIN_EXAMPLES} and are not sent")
            return {"training": training}
        return {"training": training, "validation": validation}

    def cancel(self) -> list[str]:
        """Cancel every job that is under way, and return their names. Raises RaftError where the service refuses."""
        cancelled = []
        with self._client() as client:
            for tuning in [t for t in tunings(self.state) if t.base.startswith("openai/") and t.model is None]:
                with refusals(tuning.base.removeprefix("openai/")):
                    job = tuning.job or getattr(self._job_of(client, tuning.data), "id", None)
                    if job:
                        client.fine_tuning.jobs.cancel(job)
                        cancelled.append(job)
                keep(self.state, replace(tuning, job=None))
        return cancelled

    @contextmanager
    def _client(self) -> Iterator[Any]:
        import openai

        with refusals("fine-tuning"), openai.OpenAI(timeout=TIMEOUT_SECONDS) as client:
            yield client

    def _digest(self, files: dict[str, bytes], base: str) -> str:
        digest = hashlib.sha256(f"{base}\0{self.settings.model_dump_json()}".encode())
        for what, content in files.items():
            digest.update(f"\0{what}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:16]

    def _started(self, client: Any, files: dict[str, bytes], base: str) -> Tuning:
        """Return the tuning with its job, which is started unless it was before, or with its model if it has one."""
        new = Tuning(f"openai/{base}", self._digest(files, base))
        tuning = next((t for t in tunings(self.state) if t.key == new.key), new)
        if tuning.model or tuning.job:
            return tuning
        for what, content in files.items():
            name = f"raft-{tuning.data}-{what}.jsonl"
            tuning = replace(tuning, files={**tuning.files, what: self._uploaded(client, name, content)})
            keep(self.state, tuning)
        tuning = replace(tuning, job=self._created(client, tuning, base))
        keep(self.state, tuning)
        return tuning

    def _uploaded(self, client: Any, name: str, content: bytes) -> str:
        """Upload a file, unless an earlier attempt did, and return the service's name of it."""

        def find() -> str | None:
            there = client.files.list(purpose="fine-tune")
            return next((f.id for f in there if f.filename == name and f.bytes == len(content)), None)

        def upload() -> str:
            once = client.with_options(max_retries=0)
            return str(once.files.create(file=(name, content), purpose="fine-tune").id)

        return self._once(find, upload)

    def _created(self, client: Any, tuning: Tuning, base: str) -> str:
        wishes = {
            "n_epochs": self.settings.epochs,
            "batch_size": self.settings.batch,
            "learning_rate_multiplier": self.settings.learning_rate_multiplier,
        }
        supervised = {"hyperparameters": {k: v for k, v in wishes.items() if v is not None}}
        asked: dict[str, Any] = {
            "model": base,
            "training_file": tuning.files["training"],
            "method": {"type": "supervised", "supervised": supervised},
            "metadata": {TAG: tuning.data},
            "seed": self.settings.seed,
            "suffix": f"{TAG}-{tuning.data[:10]}",
        }
        if "validation" in tuning.files:
            asked["validation_file"] = tuning.files["validation"]

        def find() -> str | None:
            return getattr(self._job_of(client, tuning.data), "id", None)

        def create() -> str:
            return str(client.with_options(max_retries=0).fine_tuning.jobs.create(**asked).id)

        job = self._once(find, create)
        self._say(f"job {job}: ctrl-C stops waiting, not the job; the same command goes on, --cancel cancels it")
        return job

    def _once(self, find: Callable[[], str | None], make: Callable[[], str]) -> str:
        """Return what `find` finds, else what `make` makes.

        After a lost connection, a server's error or a rate limit both are tried again, up to `ATTEMPTS` times: a lost
        reply may hide that something was made. `make` must run without the client's own retries, because they would
        make a second one. Raises the client's error where the last attempt fails.
        """
        import openai

        for attempt, seconds in enumerate(pauses(), start=1):
            there = find()
            if there:
                return there
            try:
                return make()
            except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError) as error:
                if attempt == ATTEMPTS or getattr(error, "code", None) == "insufficient_quota":
                    raise
                self._say(f"{_short(error)}; once more in {seconds:.0f} s")
                self._pause(max(seconds, _retry_after(error)))
        raise AssertionError("pauses never end")

    @staticmethod
    def _job_of(client: Any, digest: str) -> Any | None:
        """Return the job of that digest that is under way or has succeeded; None where there is none."""
        for job in client.fine_tuning.jobs.list(metadata={TAG: digest}):
            # a service that does not filter lists all its jobs
            if (job.metadata or {}).get(TAG) == digest and job.status not in ("failed", "cancelled"):
                return job
        return None

    def _finished(self, client: Any, tuning: Tuning) -> Tuning:
        """Wait for the job and return the tuning with its model.

        Raises RaftError where the job failed or was cancelled; the next attempt is a new job.
        """
        told: set[str] = set()
        waits, failed = pauses(), 0
        while True:
            job, failed = self._look(client, tuning, told, failed)
            if job is not None and job.status in ("succeeded", "failed", "cancelled"):
                break
            self._pause(next(waits))
        if job.status == "succeeded":
            trained = f", {job.trained_tokens} tokens billed" if job.trained_tokens else ""
            self._say(f"job {job.id} succeeded: {job.fine_tuned_model}{trained}")
            return replace(tuning, model=f"openai/{job.fine_tuned_model}")
        keep(self.state, replace(tuning, job=None))
        if job.status == "failed":
            why = f"{job.error.message} ({job.error.code})" if job.error else "the service gave no reason"
            raise RaftError(f"job {job.id} failed: {why}")
        raise RaftError(f"job {job.id} was cancelled; the same command starts a new one")

    def _look(self, client: Any, tuning: Tuning, told: set[str], failed: int) -> tuple[Any | None, int]:
        """Look up the job once; return it and 0, or None and how many look-ups in a row have failed.

        Events that are not in `told` are said and added to it. Raises RaftError where the service knows no such job,
        and the client's error after `ATTEMPTS` failures in a row.
        """
        import openai

        try:
            job = client.fine_tuning.jobs.retrieve(tuning.job)
            events = client.fine_tuning.jobs.list_events(tuning.job, limit=100).data
        except openai.NotFoundError:
            keep(self.state, replace(tuning, job=None))
            raise RaftError(f"the service knows no job {tuning.job}; the same command starts a new one") from None
        except (openai.APIConnectionError, openai.InternalServerError, openai.RateLimitError):
            if failed + 1 >= ATTEMPTS:
                self._say(f"no news of job {tuning.job}: it goes on without us, and the same command waits on")
                raise
            return None, failed + 1
        for event in reversed(events):
            if event.id not in told:
                told.add(event.id)
                self._say(f"{job.id}: {event.message}")
        return job, 0


def _retry_after(error: Exception) -> float:
    """Return the seconds that the service asks to wait, at most `LONGEST_PAUSE`; 0 where it asks for none."""
    response = getattr(error, "response", None)
    try:
        return min(LONGEST_PAUSE, float(response.headers.get("retry-after", 0))) if response is not None else 0.0
    except ValueError:
        return 0.0


def _short(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    return f"the service answered {status}" if status else "no answer"
