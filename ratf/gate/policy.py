"""A policy: the rules that a finished run must keep, in sentences that a person can read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from raft.errors import RaftError
from raft.formats.yaml_file import read_model
from ratf.results.results import Results

Tier = Literal["critical", "supporting", "advisory"]
TIERS: tuple[Tier, ...] = get_args(Tier)
BASELINE_RUN = "the reference run"
EARLIER_NAME = "the baseline run"
"""What rules called the reference run before; `baseline` is also an arm's name, so that one word meant two things."""


_ARM, _OTHER, _METRIC = (
    r"(?P<arm>\w[\w-]*)",
    r"(?P<other>the (?:reference|baseline) run|\w[\w-]*)",
    r"(?P<metric>\w[\w.]*)",
)
_NUMBER, _LEVEL = r"(?P<limit>\d*\.?\d+)", r"(?:at most )?(?P<limit>\d*\.?\d+)(?P<percent> ?%)?"
FORMS = {
    "axes": (rf"{_ARM} better than (?P<other>\w[\w-]*) on {_METRIC} or (?P<second>\w[\w.]*), worse on neither", "raft better than baseline on sentence.coverage or style.identity, worse on neither"),
    "better": (rf"{_ARM} better than {_OTHER}(?: by more than {_NUMBER})? on {_METRIC}", "raft better than baseline on style.identity"),
    "not worse": (rf"{_ARM} not worse than {_OTHER}(?: by more than {_NUMBER})? on {_METRIC}", "raft not worse than the reference run by more than 0.02 on embedding.rank"),
    "equivalent": (rf"{_ARM} equivalent to {_OTHER} within {_NUMBER} on {_METRIC}", "raft equivalent to the reference run within 0.05 on style.identity"),
    "question": (rf"no single question(?: of {_ARM})? worse(?: than {_OTHER})? by more than {_NUMBER} on {_METRIC}", "no single question worse by more than 0.3 on style.identity"),
    "errors": (rf"errors {_LEVEL}", "errors 0"),
    "unscored": (rf"unscored {_LEVEL}(?: on {_METRIC})?", "unscored at most 2 %"),
    "cut": (rf"cut {_LEVEL}", "cut at most 10 %"),
    "cost": (rf"cost at most {_NUMBER} usd", "cost at most 5 usd"),
    "tokens": (rf"tokens at most {_NUMBER}", "tokens at most 2000000"),
    "minutes": (rf"minutes at most {_NUMBER}", "minutes at most 30"),
    "leaks": (r"leaks none", "leaks none"),
}  # fmt: skip
"""Every kind of rule: the pattern of its sentence, and an example. JUDGES in `ratf/gate/rules.py` decides each kind."""


GUARDS = ("errors 0", "unscored at most 2 %")
"""The critical rules added to a policy that says nothing of its own about errors or unscored answers."""


DECLARES = 0.1
"""The drop that `not worse` without a margin must be able to see, in score points, where a policy says nothing else."""


@dataclass(frozen=True)
class Rule:
    """One sentence of a policy. `other` is an arm or BASELINE_RUN; `limit` is a margin or a maximum.

    `declares` matters to `not worse` without a margin: it passes only where so small a drop would have been seen.
    """

    text: str
    tier: Tier
    kind: str
    arm: str = ""
    other: str = ""
    metric: str = ""
    second: str = ""
    """The metric of the other axis, of a rule about two."""
    limit: float | None = None
    percent: bool = False
    declares: float = DECLARES


@dataclass(frozen=True)
class Policy:
    """Rules, and the suite's settings that may differ between the two runs because they are what is tested."""

    rules: list[Rule]
    may_differ: tuple[str, ...] = ()


def read_rule(text: str, tier: Tier) -> Rule | None:
    """The rule that `text` says; None when it is none of FORMS. `style.identity` and `style_identity` are the same."""
    plain = " ".join(text.split())
    for kind, (form, _) in FORMS.items():
        said = re.fullmatch(form, plain, re.IGNORECASE)
        if said:
            parts = said.groupdict()
            limit = parts.get("limit")
            return Rule(
                text=plain,
                tier=tier,
                kind=kind,
                arm=(parts.get("arm") or "").lower(),
                other=(parts.get("other") or (BASELINE_RUN if kind == "question" else ""))
                .lower()
                .replace(EARLIER_NAME, BASELINE_RUN),
                metric=(parts.get("metric") or "").lower().replace(".", "_"),
                second=(parts.get("second") or "").lower().replace(".", "_"),
                limit=None if limit is None else float(limit),
                percent=bool(parts.get("percent")),
            )
    return None


def _rule_of(tier: Tier) -> PlainValidator:
    def read(text: Any) -> Rule:
        rule = read_rule(text, tier) if isinstance(text, str) else None
        if rule is None:
            raise ValueError(f"{repr(text)[:200]} is not a rule; {_forms()}")
        return rule

    return PlainValidator(read)


def _some_rule(rules: list[Rule]) -> list[Rule]:
    if not rules:
        raise ValueError(f"no critical rule, so nothing could ever fail; {_forms()}")
    return rules


_SAID = WithJsonSchema(
    {
        "type": "string",
        "anyOf": [{"pattern": f"^{re.sub(r'[?]P<[a-z]+>', '?:', form)}$"} for form, _ in FORMS.values()],
        "examples": [example for _, example in FORMS.values()],
    }
)
"""A rule for editors: a sentence in one of FORMS, in small letters."""


class _File(BaseModel):
    """The rules that a finished run must keep."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    critical: Annotated[list[Annotated[Rule, _rule_of("critical"), _SAID]], AfterValidator(_some_rule)] = Field(
        [], validate_default=True
    )
    """The rules that decide. A broken one is a REGRESSION. One is needed at least."""
    supporting: list[Annotated[Rule, _rule_of("supporting"), _SAID]] = []
    """The rules that turn PASS into INCONCLUSIVE if they are broken."""
    advisory: list[Annotated[Rule, _rule_of("advisory"), _SAID]] = []
    """The rules that are only shown."""
    may_differ: list[str] = []
    """The settings of the suite that may differ between the two runs, because they are what is tested."""
    declares: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)] = DECLARES
    """The smallest drop, in score points, that `not worse` without a margin must be able to see."""


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy's file."""
    return {**_File.model_json_schema(), "title": "A policy of RATF", "required": ["critical"]}


def load_policy(path: Path) -> Policy:
    """Read a policy file: `critical`, `supporting` and `advisory` lists of rules, `may_differ` and `declares`.

    Raises DataError with every problem. A policy without a critical rule would pass everything, so it is refused.
    """
    read = read_model(path, _File)
    rules = [replace(rule, declares=read.declares) for rule in (*read.critical, *read.supporting, *read.advisory)]
    return Policy([*rules, *_missing_guards(rules)], tuple(read.may_differ))


def default_policy(results: Results, with_baseline: bool) -> Policy:
    """The policy where none is given: the suite's primary comparison, errors and unscored answers.

    With a reference run, the critical rule is that the primary arm is not worse than there on the primary metric, or on
    either of the two. The same rule on every other admitted metric, and the primary comparison within the run, are
    supporting. Raises RaftError where the suite compares what cannot be named in a rule.
    """
    arm, than, metrics = results.suite["primary"]["better"], results.suite["primary"]["than"], results.primary_metrics
    better = f"{arm} better than {than} on {' or '.join(metrics)}{', worse on neither' if metrics[1:] else ''}"
    if not with_baseline:
        texts: list[tuple[str, Tier]] = [(better, "critical")]
    else:
        admitted = {e.metric for e in results.exam if e.admitted} - set(metrics)
        sided = [m for m, facts in results.metrics.items() if m in admitted and facts.get("better")]
        texts = [(f"{arm} not worse than {BASELINE_RUN} on {m}", "critical") for m in metrics]
        texts.append((better, "supporting"))
        texts += [(f"{arm} not worse than {BASELINE_RUN} on {m}", "supporting") for m in sided]
    rules = [rule for text, tier in texts if (rule := read_rule(text, tier)) and rule.arm == arm]
    if len(rules) < len(texts):
        raise RaftError(f"the suite of these results compares {arm!r} with {than!r}; those are no names of arms")
    return Policy([*rules, *_missing_guards(rules)])


def _missing_guards(rules: list[Rule]) -> Iterator[Rule]:
    for text in GUARDS:
        guard = read_rule(text, "critical")
        if guard and guard.kind not in {rule.kind for rule in rules}:
            yield guard


def _forms() -> str:
    return "rules read like: " + " · ".join(example for _, example in FORMS.values())
