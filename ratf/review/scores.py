"""A run's scores worked out again from its answers, by the measures that gave them; judges are not asked again."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from raft.errors import RaftError
from ratf.results.bundle import Bundle
from ratf.results.results import Results
from ratf.review.record import Check
from ratf.suite.metrics import METRICS, is_judged

if TYPE_CHECKING:
    from ratf.suite.study import Study
    from ratf.suite.suite import Suite


EXACT, NEAR = 2e-6, 0.02
"""The tolerances of exact scores, kept with six digits, and of models' scores, which differ between machines."""


def recomputed(bundle: Bundle, suite: "Suite", work: Path, data: Path | None) -> Iterator[Check]:
    """One check a metric. Models are never fetched for it, and people's data are needed for style and copying."""
    results = bundle.results
    study, said = _study(bundle, suite, work, data)
    yield said or Check(
        what="data",
        outcome="not recomputed",
        told=(
            "the questions and the real answers are the bundle's own words; --data FOLDER compares them with the data "
            f"(digest {results.data_digest})"
        ),
    )
    ready = _embedder(results)
    for name in results.metrics:
        facts, why = METRICS.get(name), ""
        if is_judged(name):
            why = "a judge's; its words are in the bundle"
        elif own := suite.own_metric(name):
            why = f"it is the run's own code {own.code} (sha256 {own.sha256[:12]}), which is not run here"
        elif facts is None:
            why = "this version does not know it"
        elif facts.reads == "embedder":
            why = ready
        elif facts.reads == "inference":
            why = "its model of inference is the user's own, and is not asked again"
        elif facts.reads == "people" and not study.earlier:
            why = f"it needs the people's data (digest {results.data_digest}): --data FOLDER"
        if why:
            yield Check(what=f"metric {name}", outcome="not recomputed", told=why)
        else:
            yield _metric(bundle, study, name)
    if results.style:
        yield _style(results, study)


def _style(results: Results, study: "Study") -> Check:
    from ratf.review.record import same
    from ratf.scores.qualify import style_facts

    what = "style: evidence and Delta"
    if not study.earlier:
        return Check(what=what, outcome="not recomputed", told="they need the people's data: --data FOLDER")
    texts = {arm: [q.answers[arm].text for q in results.questions if arm in q.answers] for arm in results.arms}
    told, found = results.style, style_facts(study, texts)
    assert told is not None
    wrong = [
        part
        for part in ("evidence", "delta", "budget")
        if found is None or not same(told.model_dump()[part], found.model_dump()[part], NEAR)
    ]
    if wrong:
        return Check(
            what=what, outcome="differs", told=f"{' and '.join(wrong)} are not what the answers and the data give"
        )
    return Check(what=what, outcome="matches", told=f"worked out again, within {NEAR:g}")


def _metric(bundle: Bundle, study: "Study", name: str) -> Check:
    from ratf.review.record import same
    from ratf.scores.coverage import Beside
    from ratf.scores.measures import warm
    from ratf.scores.scorers import MEASURES
    from ratf.scores.style.speaking import SURPRISE, VOICE, Answered, answered, warm_voice

    if name == SURPRISE:
        why = "no model reads the answers again, which takes minutes"
        return Check(what=f"metric {name}", outcome="not recomputed", told=why)
    given = {(s.arm, s.question): s.given for s in bundle.samples or []}
    answers = bundle.results.suite.get("answers", {})
    if answers.get("samples", 1) > 1 and bundle.samples is None:
        why = "questions were answered several times, and the bundle holds only one answer to each"
        return Check(what=f"metric {name}", outcome="not recomputed", told=why)
    if name == VOICE and bundle.samples is None:
        why = "which of a control's answers were really given is in the samples, which the bundle lacks"
        return Check(what=f"metric {name}", outcome="not recomputed", told=why)
    if answers.get("samples", 1) > 1 and name in ("copying", VOICE) and answers.get("history") == "free_running":
        why = "each answer had memories of its own, and the bundle holds those of one"
        return Check(what=f"metric {name}", outcome="not recomputed", told=why)
    items = [(q, arm, a) for q in bundle.results.questions for arm, a in q.answers.items() if name in a.scores]
    items.sort(key=lambda item: item[1])
    abouts = [_about(given.get((arm, q.id)), a.memories) for q, arm, a in items]
    said = _answers(bundle)
    texts = [said.get((arm, q.id)) or [a.text.strip()] for q, arm, a in items]
    warm(
        study,
        [Beside(text, q.real, q.question) for (q, _, _), several in zip(items, texts, strict=True) for text in several],
        [name],
    )
    tolerance = EXACT if METRICS[name].exact else NEAR
    trusted = _not_made(bundle.results, study) if name == VOICE else {}
    of_arms: dict[str, list[Answered]] = {}
    for (question, arm, _), about, several in zip(items, abouts, texts, strict=True):
        of_arms.setdefault(arm, []).extend(answered(question.id, t, about, n) for n, t in enumerate(several, 1))
    wrong, believed, judged = [], 0, ""
    for (question, arm, answer), about, several in zip(items, abouts, texts, strict=True):
        told = answer.scores[name]
        if told.value is None and told.why in trusted:
            believed += 1
            continue
        if name == VOICE and arm != judged:
            warm_voice(study, of_arms[arm])
            judged = arm
        gave = [MEASURES[name](study, _state(question.id, t, about), question.real) if t else None for t in several]
        values = [v[0] if isinstance(v, tuple) else v for v in gave]
        there = [round(v, 6) for v in values if v is not None and not isinstance(v, str)]
        value = sum(there) / len(there) if len(there) == len(values) else None
        if told.value is None and (not all(several) or "error" in told.why or told.why.startswith("refused")):
            continue
        if not same(told.value, value, tolerance):
            found = "no score" if value is None else f"{value:.4g}"
            wrong.append(f"{arm} on {question.id}: the score is {told.value}, the answer gives {found}")
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        return Check(what=f"metric {name}", outcome="differs", told="; ".join(wrong[:5]) + more)
    rest = f"; not made again: {', '.join(trusted.values())}, for which {believed} answers have none" if trusted else ""
    return Check(
        what=f"metric {name}", outcome="matches", told=f"{len(items) - believed} scores, within {tolerance:g}{rest}"
    )


def _not_made(results: Results, study: "Study") -> dict[str, str]:
    """Reasons that are taken as told, with the names of their checks: no model reads answers again for fluency, which
    takes minutes, and without the embedder none for their topic. An answer that a check refused stays unscored."""
    from ratf.scores.style.answers import REASONS, Reason
    from ratf.scores.style.speaking import leave_out

    left: list[Reason] = ["not fluent"]
    left += ["off topic"] if _embedder(results) else []
    leave_out(study, left)
    return {REASONS[check]: check for check in left}


def _answers(bundle: Bundle) -> dict[tuple[str, str], list[str]]:
    """All answers of the logs by (arm, question id), for questions that were answered several times."""
    found: dict[tuple[str, str], list[str]] = {}
    for sample in bundle.samples or []:
        found.setdefault((sample.arm, sample.question), []).append(sample.answer.strip())
    return {where: several for where, several in found.items() if len(several) > 1}


def _about(given: Any, memories: list[dict[str, Any]]) -> dict[str, Any]:
    return {"memories": memories, **({"given": given} if given else {})}


def _state(question: str, answer: str, about: dict[str, Any]) -> Any:
    from inspect_ai.model import ModelName, ModelOutput
    from inspect_ai.solver import TaskState

    output = ModelOutput.from_content("none/none", answer)
    return TaskState(
        model=ModelName("none/none"), sample_id=question, epoch=1, input="", messages=[], output=output, metadata=about
    )


def _embedder(results: Results) -> str:
    """Why nothing can be embedded here; empty where it can."""
    from raft.models.weights import ready

    provider, _, model = str(results.suite.get("models", {}).get("embedder", "")).partition("/")
    if provider != "local":
        return "its embedder is a hosted one, and nothing is asked of services here"
    try:
        import torch  # noqa: F401

        there = ready(model)
    except (ImportError, KeyError):
        there = None
    return "" if there else f"the embedded model {model} is not here; `ratf models --fetch` fetches it"


def suite_of(results: Results, work: Path) -> "Suite":
    """The suite of the run, its judges' rubrics included, as a file in `work`.

    Raises RaftError where the settings are no suite of this version, and ValueError where a judge's name is no name of
    a file.
    """
    import yaml

    from ratf.suite.suite import load_suite

    settings = dict(results.suite)
    for name, rubric in (settings.pop("rubrics", None) or {}).items():
        if not re.fullmatch(r"\w[\w-]*", name):
            raise ValueError(f"no judge can be called {name[:40]!r}")
        (work / "judges").mkdir(exist_ok=True)
        (work / "judges" / f"{name}.yaml").write_text(yaml.safe_dump(rubric, sort_keys=False), "utf-8")
    path = work / "suite.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return load_suite(path, finished=True)


def _study(bundle: Bundle, suite: "Suite", work: Path, data: Path | None) -> "tuple[Study, Check | None]":
    """The study of the run: with the people's data where they are at hand, else what the results say of it."""
    from ratf.content import content
    from ratf.suite.study import open_study

    results = bundle.results
    people = suite.everybody
    shipped = content("benchmarks") if all((content("benchmarks") / p).is_dir() for p in people) else None
    inside = all(Path(p).name == p for p in people)
    if inside and (folder := data or shipped):
        try:
            study = open_study(str(work / "suite.yaml"), str(folder), str(work), finished=True)
        except RaftError:
            if data:
                raise
        else:
            if study.data_digest == results.data_digest:
                _remembered(bundle, study)
                return study, _held_out(results, study)
            if data:
                said = f"{data} has the digest {study.data_digest}, the run's data had {results.data_digest}"
                return _bare(results, suite, work), Check(what="data", outcome="differs", told=said)
    return _bare(results, suite, work), None


def _remembered(bundle: Bundle, study: "Study") -> None:
    """Lay the bundle's memories out for the measure of copying, where they are this study's: others would be made anew."""
    from raft.formats.json_file import parse
    from raft.memory.rephrase import VERSION

    kept = parse(bundle.memories, "memories.json of the bundle") if bundle.memories else None
    if bundle.memories and isinstance(kept, dict) and kept.get("digest") == f"{study.digest}-{VERSION}":
        (study.folder / "memories.json").write_bytes(bundle.memories)


def _held_out(results: Results, study: "Study") -> Check:
    """Whether the questions and real answers are the data's."""
    real = {e.exchange_id: (e.question, e.answer) for e in study.held_out}
    told = {q.id: (q.question, q.real) for q in results.questions}
    wrong = sorted(q for q in real.keys() | told.keys() if real.get(q) != told.get(q))
    if wrong:
        return Check(
            what="data", outcome="differs", told=f"not the data's question or real answer: {', '.join(wrong[:5])}"
        )
    return Check(
        what="data", outcome="matches", told=f"digest {study.data_digest}; {len(real)} questions are the data's"
    )


def _bare(results: Results, suite: "Suite", work: Path) -> "Study":
    """A study without anybody's earlier words: enough for what compares an answer with the real ones."""
    from raft.people.person import About, Person
    from raft.types import Exchange
    from ratf.suite.study import Study

    held_out = []
    for q in results.questions:
        number = q.id.rpartition("-q")[2]
        held_out.append(Exchange(q.interview_id, int(number) if number.isdigit() else 0, None, q.question, q.real))
    about = About(name="nobody", introduction="nobody")
    return Study(
        suite=suite,
        person=Person(str(results.person.get("key")), about, (), ()),
        impostors=[],
        held_out=held_out,
        earlier=[],
        training=[],
        before={},
        digest=f"bundle {results.digest}",
        folder=work,
        data_digest=results.data_digest,
    )
