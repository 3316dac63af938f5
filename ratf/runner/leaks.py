"""No run is scored on what its agents could have read: the leak checks of a study. They fail closed."""

from typing import Any

import numpy as np

from raft.errors import RaftError
from raft.people.leaks import (
    ALIKE,
    CoveredAnswer,
    alike,
    answers,
    blind,
    covered,
    is_read,
    older,
    stored,
    twins,
    writings,
)
from raft.people.leaks import Source as LeakSource
from raft.progress import Progress, silent
from raft.text import number_of
from raft.types import Exchange
from ratf.results.results import Leak, Leaks
from ratf.suite.study import Study

TOLD = 10


def look(study: Study) -> Leaks:
    """Held-out interviews against earlier ones, and their answers against all that agents may learn or remember.

    That is: writings dated before the interview (and undated ones, where the suite allows them) and the answers of
    earlier interviews. Reads nothing but the data; takes a second or two.
    """

    def may(exchange: Exchange, source: LeakSource) -> bool:
        return source.kind == "answer" or older(exchange, source)

    sources = [*writings(study.person.documents), *answers(study.earlier)]
    held = {e.interview_id for e in study.held_out}
    used = held | {e.interview_id for e in study.earlier}
    pairs = twins([i for i in study.person.interviews if i.interview_id in used])
    same = [
        Leak(
            kind="interview",
            held_out=t.other if t.other in held else t.one,
            found_in=t.one if t.other in held else t.other,
            amount=t.coverage,
            words=f"interview {t.one} and interview {t.other} are the same to {100 * t.coverage:.0f} %",
        )
        for t in pairs
        if {t.one, t.other} & held
    ]
    unread = [s for s in (*answers(study.held_out, 0), *sources) if not is_read(s.text)]
    found = covered(study.held_out, sources, may=may)
    checked = (
        f"{len(study.held_out)} held-out answers against {len(study.person.documents)} writings, where older than the "
        f"interview, and {len(study.earlier)} earlier answers"
    )
    return Leaks(checked=f"{checked}{_unchecked(study)}", found=[*same, *map(_copied, found), *map(_unread, unread)])


def _unchecked(study: Study) -> str:
    own = ", ".join(arm.name for arm in study.suite.own)
    return f"; not what {own} learnt and remembers, which is not known" if own else ""


def look_in_store(study: Study, leaks: Leaks, progress: Progress = silent) -> Leaks:
    """`leaks`, with what the filled memory store adds: held-out questions in it, and answers said in other words.

    Embeds the training answers, so it is done once a study.
    """

    def make() -> dict[str, Any]:
        with progress("looking for leaks in the memory store", 1, "steps") as advance:
            found = _look_in_store(study, leaks)
            advance(1)
        return found.model_dump()

    return Leaks.model_validate(study.made("leaks", make))


def _look_in_store(study: Study, leaks: Leaks) -> Leaks:
    from ratf.agents.memories import memory_store
    from ratf.scores.measures import text_measures

    store = memory_store(study)
    passages = store.chunks()
    embed = text_measures(study).vectors
    asked = [
        Leak(
            kind="question",
            held_out=_name(q.interview, q.question),
            found_in=q.passage,
            amount=q.coverage,
            words=f"question {_name(q.interview, q.question)} stands to {100 * q.coverage:.0f} % in passage {q.passage}",
        )
        for q in stored(study.held_out, passages)
    ]
    texts = [*study.held_out, *study.training]
    if (apart := blind(texts, lambda said: np.stack(embed(said)))) is not None:
        checked = (
            f"{leaks.checked}; {len(passages)} passages of the memory store. Not measured is whether the same stands there "
            f"in other words: the embedder does not tell this person's answers apart (median cosine {apart:.2f})"
        )
        return Leaks(checked=checked, found=[*leaks.found, *asked])
    near = [
        _alike(_name(a.interview, a.question), f"earlier answer {a.document}", a.cosine)
        for a in alike(study.held_out, answers(study.training), lambda texts: np.stack(embed(texts)))
    ]
    said = np.stack(embed([e.answer for e in study.held_out]))
    nearest = store.recall(said, [e.date for e in study.held_out], 1, None)
    near += [
        _alike(exchange.exchange_id, f"passage {passage.chunk_id}", cosine)
        for exchange, found in zip(study.held_out, nearest, strict=True)
        for passage, cosine in found
        if cosine >= ALIKE
    ]
    copied = {leak.held_out for leak in leaks.found}
    found = [*leaks.found, *asked, *(leak for leak in near if leak.held_out not in copied)]
    checked = (
        f"{leaks.checked}; {len(passages)} passages of the memory store; the same in other words, there and in training"
    )
    return Leaks(checked=checked, found=found)


def refuse(leaks: Leaks, allowed: bool) -> None:
    """Raise RaftError with the worst leaks and what to do about them, unless they are allowed."""
    if not leaks.found or allowed:
        return
    worst = "\n".join(f"  {leak.words}" for leak in leaks.found[:TOLD])
    rest = f"\n  … and {len(leaks.found) - TOLD} more" if len(leaks.found) > TOLD else ""
    raise RaftError(
        f"{number_of(len(leaks.found), 'leak')}: held-out interviews also stand where agents learn or remember, so their scores "
        f"would mean nothing:\n{worst}{rest}\n"
        "Take one of each two out of the person's folder (`raft leaks FOLDER` lists them), or go on with "
        "--allow-leaks: the page will say so."
    )


def _copied(answer: CoveredAnswer) -> Leak:
    name = _name(answer.interview, answer.question)
    return Leak(
        kind="answer",
        held_out=name,
        found_in=answer.document,
        amount=answer.coverage,
        words=f"{100 * answer.coverage:.0f} % of the answer {name} ({answer.date}) stands elsewhere, most in the "
        f"{'writing' if answer.kind == 'writing' else 'earlier answer'} {answer.document} "
        f"({answer.document_date or 'undated'}), {answer.longest_run} words in a row",
    )


def _unread(source: LeakSource) -> Leak:
    return Leak(
        kind="not read",
        held_out=source.name,
        found_in="",
        amount=0,
        words=f"the {source.kind} {source.name} is not in words that can be read, so whether it holds a held-out "
        "answer is unknown: an encoding or the spaces may be lost",
    )


def _alike(name: str, place: str, cosine: float) -> Leak:
    return Leak(
        kind="same meaning",
        held_out=name,
        found_in=place,
        amount=round(cosine, 3),
        words=f"the answer {name} says the same as {place} (cosine {cosine:.2f})",
    )


def _name(interview: str, number: int) -> str:
    return Exchange(interview, number, None, "", "").exchange_id
