"""A judge's prompt: untrusted texts made harmless, fenced, cut alike, put in an order that a hash decides."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from raft.prompts import fenced
from raft.text import shorten
from raft.types import Exchange, Message
from ratf.suite.rubric import Rubric
from ratf.suite.study import Study

LONGEST_WORD = 12
"""The most characters a word, on average; a text with more is cut, so that one without spaces is cut as well."""


TEMPLATE_MARK = re.compile(r"<?<\|?/?[A-Za-z_][\w ]{0,40}\|?>>?|\[/?INST\]")
"""Marks that chat templates give a meaning, as `<|im_end|>`, `<start_of_turn>`, `[INST]`."""


MARKUP = re.compile(r"[{}\[\]<>|#*_=~^\\`]+|:(?=\s|$)")
"""Signs that speech does not have: they lay prompts out, and small models lean on them."""


class _Visible(dict[int, int | None]):
    """For `str.translate`: every sign that can be seen, and every space, as it is. Each is looked up once."""

    def __missing__(self, code: int) -> int | None:
        sign = chr(code)
        seen = sign.isspace() or unicodedata.category(sign) not in ("Cf", "Cc", "Cs", "Co")
        self[code] = code if seen else None
        return self[code]


_VISIBLE = _Visible()
RUN = re.compile(r"([^\w\s])\1{3,}")
MASK = "(name)"


@dataclass(frozen=True)
class JudgeCase:
    """A text to judge; `key` is the question's id, `real` the real answer, `rival` the other text of a pair."""

    key: str
    question: str
    real: str
    answer: str
    rival: str = ""
    examples: tuple[str, ...] = ()
    """Earlier answers of the person."""
    candidates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The people who may have spoken, each with earlier answers; the person comes first."""
    names: tuple[str, ...] = ()
    """Names of people, to be masked; none in an ordinary pass."""


@dataclass(frozen=True)
class JudgePrompt:
    """A prompt without its last line, which says how to reply. `meaning` says what each reply stands for, in order."""

    system: str
    prompt: str
    meaning: Mapping[str, str]

    def messages(self, how: str) -> list[Message]:
        """The messages, with how to reply as the last words: after every untrusted text."""
        return [{"role": "system", "content": self.system}, {"role": "user", "content": f"{self.prompt}{how}"}]


def harmless(text: str) -> str:
    """`text` as one paragraph of plain prose, as speech is: a judge's copy, so that only words can talk to the judge.

    Gone are zero-width and direction marks, controls, chat templates' marks, markup, line ends, long runs of one sign.
    """
    plain = TEMPLATE_MARK.sub(" ", text.translate(_VISIBLE))
    return " ".join(RUN.sub(r"\1\1\1", MARKUP.sub(" ", plain)).split())


def cut(text: str, words: int) -> str:
    """`text` made harmless and cut to at most `words` words, and to LONGEST_WORD characters for each of them."""
    most = words * LONGEST_WORD
    # invisible signs are removed from a longer piece than is kept, so that they cannot push visible text out
    return shorten(harmless(text[: most * 10])[:most], words)


def mask(text: str, names: Sequence[str]) -> str:
    """`text` with every name, and every part of one that has three letters or more, replaced."""
    parts = {part for name in names for part in (name, *name.split()) if len(part) > 2}
    if not parts:
        return text
    pattern = "|".join(re.escape(part) for part in sorted(parts, key=len, reverse=True))
    return re.sub(rf"\b(?:{pattern})\b", MASK, text, flags=re.IGNORECASE)


def shown(rubric: Rubric, case: JudgeCase, text: str) -> str:
    """A text of the case as the judge reads it."""
    return cut(mask(text, case.names), rubric.max_words)


def fill(rubric: Rubric, case: JudgeCase, flipped: bool = False) -> JudgePrompt:
    """The prompt about a case; `flipped` puts whatever has an order the other way round."""

    def ready(text: str) -> str:
        return shown(rubric, case, text)

    def order(keys: Sequence[str]) -> list[str]:
        ordered = sorted(keys, key=lambda k: hashlib.sha256(f"{case.key}\0{k}".encode()).digest())
        return ordered[::-1] if flipped else ordered

    texts = {
        "question": fenced("question", ready(case.question)),
        "real": fenced("real answer", ready(case.real)),
        "answer": fenced("answer", ready(case.answer)),
        "examples": "\n".join(fenced(f"example {n}", ready(t)) for n, t in enumerate(case.examples, 1)),
    }
    meaning: dict[str, str] = {}
    if rubric.form == "grade":
        meaning = {choice: choice for choice in order(list(rubric.choices))}
    elif rubric.form == "identity":
        meaning = dict(zip(ascii_uppercase, order(list(case.candidates)), strict=False))
        texts["candidates"] = "\n".join(_candidate(letter, case, who, ready) for letter, who in meaning.items())
    elif rubric.in_pairs:
        sides = {case.answer: "answer", case.rival: "rival"}
        first, second = order([case.answer, case.rival])
        meaning = {"A": sides[first], "B": sides[second]} | ({"Tie": "tie"} if rubric.form == "pairwise" else {})
        texts |= {"first": fenced("A", ready(first)), "second": fenced("B", ready(second))}
    return JudgePrompt(rubric.system, rubric.prompt.format_map(texts), meaning)


def _candidate(letter: str, case: JudgeCase, who: str, ready: Callable[[str], str]) -> str:
    name = "" if case.names else f"{fenced(f'name of {letter}', ready(who))}\n"
    said = "\n".join(fenced(f"{letter}, example {n}", ready(t)) for n, t in enumerate(case.candidates[who], 1))
    return f"{letter}:\n{name}{said}"


def case_of(
    study: Study, rubric: Rubric, exchange_id: str, answer: str, rival: str = "", masked: bool = False
) -> JudgeCase:
    """The case of an answer to a held-out question; examples are earlier answers, and never a text that is judged."""
    exchange = next(e for e in study.held_out if e.exchange_id == exchange_id)
    judged = {answer, rival, exchange.answer}
    people = [(study.person.about.name, study.earlier), *((p.about.name, p.exchanges) for p in study.impostors)]
    wanted = rubric.examples if any(f"{{{of}}}" in rubric.prompt for of in ("examples", "candidates")) else 0
    spoke = {name: _drawn(said, judged, exchange_id, wanted) for name, said in people}
    return JudgeCase(
        key=exchange_id,
        question=exchange.question,
        real=exchange.answer,
        answer=answer,
        rival=rival,
        examples=spoke[study.person.about.name],
        candidates=spoke,
        names=tuple(spoke) if masked else (),
    )


def _drawn(said: Sequence[Exchange], judged: set[str], key: str, wanted: int) -> tuple[str, ...]:
    if not wanted:
        return ()
    drawn = sorted(said, key=lambda e: hashlib.sha256(f"{key}\0{e.exchange_id}".encode()).digest())
    return tuple([e.answer for e in drawn if e.answer not in judged][:wanted])
