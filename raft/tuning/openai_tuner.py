"""Fine-tuning as a job of OpenAI's, or of whatever speaks its protocol (`OPENAI_BASE_URL`).

A job costs money, so there is never a second one for the same data and base: what was uploaded and created is
written down before anybody waits, and what a kill or a lost reply kept from being written down is found again by
the digest that it carries.
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
"""How often one thing is asked before it counts as refused; waiting for a job outlives this many failed looks."""


TAG = "raft"
"""The key of the job's metadata that holds the digest."""


class OpenAISettings(BaseModel):
    """How to tune; what is None is left to the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int | None = Field(None, ge=1)
    batch: int | None = Field(None, ge=1)
    learning_rate_multiplier: float | None = Field(None, gt=0)
    seed: int = 0


def pauses(first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> Iterator[float]:
    """Seconds to wait, growing, with a fifth of jitter: many clients must not come back at the same moment."""
    pause = first
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(longest, pause * 1.5)


class OpenAITuner:
    """A `Tuner`. `state` is the file where jobs are written down; `say` gets each event, `pause` waits."""

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
        """The name of the tuned model, `ft:…`. Raises DataError, with nothing sent, when the samples break a rule."""
        return self.tune_files(openai_jsonl(samples).encode(), openai_jsonl(validation).encode(), base)

    def tune_files(self, training: bytes, validation: bytes, base: str, names: tuple[str, str] = ("", "")) -> str:
        """As `tune`, with files in OpenAI's format; `names` is what problems call them."""
        files = self.checked(training, validation, base, names)
        with self._client() as client, refusals(base):
            tuning = self._started(client, files, base)
            if tuning.model is None:
                tuning = self._finished(client, tuning)
        keep(self.state, tuning)  # again, if it was finished before: the model that was asked for last is the newest
        return str(tuning.model).removeprefix("openai/")

    def checked(
        self, training: bytes, validation: bytes, base: str, names: tuple[str, str] = ("", "")
    ) -> dict[str, bytes]:
        """The files to send; says what they cost. Raises DataError with everything that is wrong in them.

        Validation is optional to the service: a set too small to be accepted is left out, and that is said.
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
        """Cancel every job that is under way; their names."""
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
        """The tuning with its job, or with its model if it was finished before."""
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
        """The service's name of a file, which may be there from an earlier attempt."""

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
        """Make something unless it is there. A lost reply may hide that it was made: then it is looked for again.

        The client's own retries are off for `make`, because they would make a second one.
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
        """The job of that digest that is under way or succeeded, if there is one."""
        for job in client.fine_tuning.jobs.list(metadata={TAG: digest}):
            # a service that does not filter lists all its jobs
            if (job.metadata or {}).get(TAG) == digest and job.status not in ("failed", "cancelled"):
                return job
        return None

    def _finished(self, client: Any, tuning: Tuning) -> Tuning:
        """Wait for the job. Raises RaftError when it failed or was cancelled; the next attempt is a new job."""
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
        """The job and 0; or None and how many looks in a row have failed. Says the events that were not `told`."""
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
    """The seconds that the service asks for; 0 where it does not."""
    response = getattr(error, "response", None)
    try:
        return min(LONGEST_PAUSE, float(response.headers.get("retry-after", 0))) if response is not None else 0.0
    except ValueError:
        return 0.0


def _short(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    return f"the service answered {status}" if status else "no answer"
