"""The calls of a run, counted from the study alone: who will be asked what, and how much. Only its files are read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from raft.files import read_made
from raft.memory.rephrase import VERSION
from raft.models.tokens import token_counter
from raft.models.weights import PINNED, ready
from raft.prompts import MESSAGE_OVERHEAD, conversation, earlier_exchanges
from raft.text import count_words, estimated_tokens, shorten, words_between
from raft.tuning.tuners import tuned_name
from raft.types import Exchange, Message
from ratf.judges.counts import (
    REPLY_TOKENS,
    asked_in_exam,
    exam_calls,
    grading_calls,
    judges_of,
    least_exam_calls,
    tokens_a_call,
)
from ratf.models.prices import Prices, is_free, price_of, training_price
from ratf.results.record import Record
from ratf.runner.rates import Rates
from ratf.suite.arms import ARMS, WRITTEN
from ratf.suite.own_metrics import SAMPLE
from ratf.suite.study import Study

REPHRASER_PROMPT, REPHRASER_REPLY = 300, 120
"""The estimated tokens of a rephraser's prompt beside passage and exchange, and of its reply."""


SHOWN_WORDS = 25
"""The number of words of a real answer that a model is shown when it is asked to go on with it."""


NEXT_WORDS = 40
LEAST_WORDS = SHOWN_WORDS + 15
"""The fewest words of an answer that a model is asked to continue; shorter ones leave too little."""


@dataclass(frozen=True)
class Counted:
    """A way to count tokens; `exact` says whether they are the model's own."""

    tokens: Callable[[str], int]
    exact: bool

    def messages(self, messages: Sequence[Message]) -> int:
        """The tokens of a prompt, with what a chat template adds."""
        return sum(self.tokens(m["content"]) + MESSAGE_OVERHEAD for m in messages)


def counter(model: str) -> Counted:
    """How a model's tokens are counted: by an embedded model's tokenizer if it is here, else four characters each."""
    name = model.removeprefix("local/").partition("+")[0]
    if model.startswith("local/") and name in PINNED and ready(name):
        return Counted(token_counter(name), exact=True)
    return Counted(estimated_tokens, exact=False)


AROUND_TEXT = 60
"""The estimated tokens around a text that is to be continued or reworded."""


class CallCount(Record):
    """The calls of one role to one model. `tokens`, in and out, are at most; `usd` and `seconds` None if unknown."""

    role: str
    who: str
    model: str
    samples: int
    calls: int
    tokens: int
    usd: float | None
    seconds: float | None
    counted: bool
    """Whether the tokens are the model's own tokenizer's; else they are estimated."""
    if_admitted: bool = False
    """Whether the calls are made only if the judge passes its exam, or does not fail it at once."""
    note: str = ""


@dataclass(frozen=True)
class CallCounts:
    """Counts what a study asks."""

    study: Study
    prices: Prices
    rates: Rates

    def all(self) -> Iterator[CallCount]:
        """The counts of every role, in the order of a run."""
        yield from self.rephrasing()
        yield from self.embedding()
        yield from self.tuning()
        yield from self.answers()
        yield from self.own()
        yield from self.written()
        yield from self.judges()
        yield from self.own_scorers()
        yield from self.contamination()

    @property
    def samples(self) -> int:
        """The number of times that each arm answers a question."""
        return self.study.suite.answers.samples

    @cached_property
    def count(self) -> Counted:
        """The way to count the base model's tokens."""
        return counter(self.study.suite.models.weights)

    @cached_property
    def memories(self) -> Mapping[str, Sequence[Any]] | None:
        """The memories that an earlier start has made, by exchange; None where there are none yet."""
        made = read_made(self.study.folder / "memories.json", f"{self.study.digest}-{VERSION}")
        return made["memories"] if made else None

    def rephrasing(self) -> Iterator[CallCount]:
        """The rephraser's calls, at most: one for each of the `k` passages of each exchange that remembers."""
        study, name, k = self.study, self.study.suite.memories.rephraser, self.study.suite.memories.k
        arms = [ARMS[a] for a in study.suite.arms]
        if "/" not in name:
            return
        asked = self._remembering() if study.suite.recalls and self.memories is None else []
        if study.suite.answers.history == "free_running":
            asked = asked + study.held_out * (self.samples * sum(a.memories != "none" for a in arms))
        elif any(a.memories == "impostor" for a in arms):
            asked = asked + [e for e in self._remembering() if e not in study.training]
        if not asked:
            return
        said = sum(self.count.tokens(f"{e.question} {e.answer}") for e in asked)
        read = k * (said + len(asked) * (REPHRASER_PROMPT + study.suite.memories.chunk_tokens))
        written = k * len(asked) * REPHRASER_REPLY
        yield self._ask("rephraser", "", name, k * len(asked), read, written, len(asked), note="at most", counted=False)

    def _remembering(self) -> list[Exchange]:
        """The exchanges whose memories are made before anybody answers."""
        study, history = self.study, self.study.suite.answers.history
        asked = study.training if history == "free_running" else [*study.training, *study.held_out]
        said = [] if history == "none" else [e for one in asked for e in study.before[one.exchange_id]]
        return list({e.exchange_id: e for e in [*said, *asked]}.values())

    def embedding(self) -> Iterator[CallCount]:
        """The tokens that a hosted embedder reads: the writings, the questions, and every answer that is scored."""
        study, name = self.study, self.study.suite.models.embedder
        if is_free(name):
            return
        texts = [d.text for d in study.person.documents]
        texts += [e.question for p in (study.person, *study.impostors, *study.strangers) for e in p.exchanges]
        given = sum(map(study.suite.times, (*study.suite.all_arms, *study.suite.controls)))
        answers = given * sum(len(e.answer) for e in study.held_out)
        tokens = (sum(map(len, texts)) + answers) // 4
        yield self._ask("embedding", "", name, 0, tokens, note="texts in batches, no chat calls", counted=False)

    def tuning(self) -> Iterator[CallCount]:
        """The jobs that tune models; a token of a job is one that is read in an epoch."""
        study, base, settings = self.study, self.study.suite.models.base, self.study.suite.training
        interviews = list(dict.fromkeys(e.interview_id for e in study.training))
        learnt = set(interviews[: len(interviews) - settings.validation_interviews])
        samples = [e for e in study.training if e.interview_id in learnt]
        answers = sum(self.count.tokens(shorten(e.answer, study.suite.answers.max_words)) for e in samples)
        price, each = training_price(base, self.prices), self.rates.tuning if is_free(base) else None
        for training in dict.fromkeys(ARMS[a].training for a in study.suite.arms if ARMS[a].training != "none"):
            tokens = settings.epochs * (answers + sum(self._prompt(e, training != "ft") for e in samples))
            made = self._ask("tuning", training, base, 0, tokens, samples=len(samples), note="a job, no chat calls")
            usd = 0.0 if is_free(base) else None if price is None else tokens * price / 1e6
            seconds = None if each is None else each * len(samples) * settings.epochs
            yield made.model_copy(update={"usd": usd, "seconds": seconds})

    def answers(self) -> Iterator[CallCount]:
        """The calls for each arm's answers; where nothing comes to mind, arms of one model ask the same, once."""
        study, base, n = self.study, self.study.suite.models.base, len(self.study.held_out)
        tuned = any(ARMS[name].training != "none" for name in study.suite.arms)
        # a tuned model is served by whoever serves its base
        then = f"{base.partition('/')[0]}/{tuned_name(study.suite.models.weights).partition('/')[2]}" if tuned else base
        asked: set[tuple[str, str, str]] = set()
        for name in study.suite.arms:
            arm = ARMS[name]
            new = {(arm.training, question, mind) for question, mind in self._minds(name).items()} - asked
            asked |= new
            calls = self.samples * len(new)
            read = sum(self._prompt(e, arm.memories != "none") for e in study.held_out) * calls // n
            unsure = arm.memories != "none" and self.memories is None
            note = "fewer where a question brings no memory" if unsure else ""
            model = base if arm.training == "none" else then
            yield self._ask("answers", name, model, calls, read, self._replies(calls), self.samples * n, note=note)

    def own(self) -> Iterator[CallCount]:
        """The calls of the user's own agents that are asked; what a solver asks of whom, only its code knows."""
        for arm in (a for a in self.study.suite.own if not a.given):
            calls = self.samples * len(self.study.held_out)
            if arm.model:
                read = self.samples * sum(self._prompt(e, arm.memories != "none") for e in self.study.held_out)
                yield self._ask("answers", arm.name, arm.model, calls, read, self._replies(calls), calls, counted=False)
            else:
                note = "what a solver asks, and of whom, is not known"
                yield self._ask("answers", arm.name, str(arm.solver), calls, 0, 0, calls, note=note, counted=False)

    def _minds(self, name: str) -> dict[str, str]:
        """A word for what an arm reads beside each question: arms of one model with the same read one prompt."""
        kind, alone = ARMS[name].memories, self.study.suite.answers.history != "free_running"
        minds = {e.exchange_id: name for e in self.study.held_out}
        if kind == "none" and alone:
            minds = dict.fromkeys(minds, "")
        elif kind == "own" and alone and self.memories is not None:
            minds = {q: kind if self.memories.get(q) else "" for q in minds}
        return minds

    def written(self) -> Iterator[CallCount]:
        """The calls for controls that a model writes."""
        models, held_out = self.study.suite.models, self.study.held_out
        for name in (c for c in WRITTEN if c in self.study.suite.controls):
            generic, n = name == "generic", len(held_out)
            read = sum(self.count.tokens(e.question if generic else e.answer) + AROUND_TEXT for e in held_out)
            model = models.base if generic else str(models.paraphraser)
            yield self._ask("control", name, model, n, read, self._replies(n))

    def judges(self) -> Iterator[CallCount]:
        """The calls of every grader's exam, and of the grading that those which pass will do."""
        study, panel = self.study, self.study.suite.graders
        for rubric, masked in judges_of(study):
            name, reply = f"{rubric.name}{' (masked)' if masked else ''}", REPLY_TOKENS.get(rubric.form, 10)
            read = tokens_a_call(study, rubric, masked) - reply
            before = asked_in_exam(study, rubric) // len(panel)
            least, exam, grading = (
                calls(study, rubric) // len(panel) for calls in (least_exam_calls, exam_calls, grading_calls)
            )
            note = f"without {before} that the exam has asked" if before else ""
            for grader in panel:
                about: Mapping[str, Any] = {"rate": self.rates.verdict, "counted": False}
                yield self._ask("exam", name, grader, least, read * least, reply * least, **about)
                more, graded, early = exam - least, grading - before, "as far as it is not decided before"
                rest = self._ask("exam", name, grader, more, read * more, reply * more, note=early, **about)
                made = self._ask("grading", name, grader, graded, read * graded, reply * graded, note=note, **about)
                yield from (row.model_copy(update={"if_admitted": True}) for row in (rest, made))

    def own_scorers(self) -> Iterator[CallCount]:
        """The user's own scorers of Inspect's; what they ask of whom, only their code knows."""
        for own in (o for o in self.study.suite.own_metrics if SAMPLE in o.reads):
            note = "what a scorer asks, and of whom, is not known"
            yield self._ask("scoring", own.name, own.code, 0, 0, 0, 0, note=note, counted=False)

    def contamination(self) -> Iterator[CallCount]:
        """The calls that ask the base model about the held-out answers."""
        study, n = self.study, len(self.study.held_out)
        if not study.suite.contamination:
            return
        long = [e for e in study.held_out if count_words(e.answer) >= LEAST_WORDS]
        shown = [self.count.tokens(words_between(e.answer, 0, SHOWN_WORDS)) + AROUND_TEXT for e in long]
        read = 2 * sum(shown) + sum(self.count.tokens(e.question) for e in long)
        read += sum(self._prompt(e, False) for e in study.held_out)
        written = 2 * len(long) * 2 * NEXT_WORDS + self._replies(n)
        base, rate = study.suite.models.base, self.rates.contamination
        yield self._ask("contamination", "", base, 2 * len(long) + n, read, written, rate=rate)

    def _replies(self, n: int) -> int:
        """The tokens of so many answers, each at its full length."""
        return n * self.study.suite.answers.max_tokens

    def _prompt(self, exchange: Exchange, remembers: bool) -> int:
        """The tokens of a prompt; memories are taken for as long as their passages."""
        suite, most = self.study.suite, self.study.suite.answers.context_tokens
        if exchange.exchange_id not in self._plain:
            self._plain[exchange.exchange_id] = self._without_memories(exchange)
        plain = self._plain[exchange.exchange_id]
        more = suite.memories.k * suite.memories.chunk_tokens if remembers else 0
        return max(plain, min(most, plain + more))

    @cached_property
    def _plain(self) -> dict[str, int]:
        """The tokens of each prompt without memories, kept: arms and what follows ask the same."""
        return {}

    def _without_memories(self, exchange: Exchange) -> int:
        suite, study = self.study.suite, self.study
        before = () if suite.answers.history == "none" else study.before[exchange.exchange_id]
        earlier = earlier_exchanges(before, {}, suite.answers.max_words)
        most, about = suite.answers.context_tokens, study.person.about
        return self.count.messages(conversation(about, exchange.question, (), earlier, most, self.count.tokens))

    def _ask(
        self,
        role: str,
        who: str,
        model: str,
        calls: int,
        read: int,
        written: int = 0,
        samples: int | None = None,
        rate: float | None = None,
        note: str = "",
        counted: bool = True,
    ) -> CallCount:
        """A row with its price and its time; without a `rate`, each call is an answer."""
        price = price_of(model, self.prices)
        return CallCount(
            role=role,
            who=who,
            model=model,
            samples=len(self.study.held_out) if samples is None else samples,
            calls=calls,
            tokens=read + written,
            usd=None if price is None else price.of(read, written),
            seconds=self.rates.of(model, calls, self.rates.answer if rate is None else rate),
            counted=counted and self.count.exact,
            note=note,
        )
