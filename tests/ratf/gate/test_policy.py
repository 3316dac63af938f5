from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPOSITORY
from planted import make

from raft.errors import DataError
from ratf.gate.policy import BASELINE_RUN, FORMS, GUARDS, Rule, default_policy, load_policy, read_rule


def test_every_form_reads_its_own_example() -> None:
    for kind, (_, example) in FORMS.items():
        rule = read_rule(example, "critical")
        assert rule is not None and rule.kind == kind


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("raft better than baseline on style.identity", ("better", "raft", "baseline", "style_identity", None)),
        ("RAFT  better than\n Baseline on style_identity", ("better", "raft", "baseline", "style_identity", None)),
        (
            "raft not worse than the reference run by more than 0.02 on embedding.rank",
            ("not worse", "raft", BASELINE_RUN, "embedding_rank", 0.02),
        ),
        ("no single question worse by more than .3 on judge.same_view", ("question", "", BASELINE_RUN, "judge_same_view", 0.3)),
        ("no single question of raft worse than rag_only by more than 1 on rouge.l", ("question", "raft", "rag_only", "rouge_l", 1)),
        ("unscored at most 2 %", ("unscored", "", "", "", 2)),
        ("unscored at most 5% on judge.same_view", ("unscored", "", "", "judge_same_view", 5)),
        ("errors 0", ("errors", "", "", "", 0)),
        ("cost at most 5 usd", ("cost", "", "", "", 5)),
        ("leaks none", ("leaks", "", "", "", None)),
    ],
)  # fmt: skip
def test_rules_are_read(text: str, parts: tuple[object, ...]) -> None:
    rule = read_rule(text, "critical")
    assert rule is not None
    assert (rule.kind, rule.arm, rule.other, rule.metric, rule.limit) == parts


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_other_words_are_no_rule_and_no_crash(text: str) -> None:
    assert read_rule(text, "advisory") is None or isinstance(read_rule(text, "advisory"), Rule)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "critical: [raft beats everybody]",
            "p.yaml:1: critical[0]: 'raft beats everybody' is not a rule; rules read like: raft better",
        ),
        ("critical: [errors 0]\nrules: []", "p.yaml:2: rules: is not a known key; the keys are: critical, supporting"),
        ("critical: []", "no critical rule"),
        ("advisory: [errors 0]", "no critical rule"),
        ("", "no critical rule"),
        ("critical: errors 0", "p.yaml:1: critical: Input should be a valid list"),
        ("critical: [", "not YAML"),
    ],
)
def test_a_bad_policy_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "p.yaml").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"p\.yaml") as refused:
        load_policy(tmp_path / "p.yaml")
    assert says in str(refused.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("critical: [one, two]\nadvisory: [three]\n", "utf-8")
    with pytest.raises(DataError) as refused:
        load_policy(tmp_path / "p.yaml")
    assert len(refused.value.problems) == 3
    with pytest.raises(DataError, match=r"nothing\.yaml: no such file"):
        load_policy(tmp_path / "nothing.yaml")


def test_errors_and_unscored_are_guarded_unless_the_policy_speaks_of_them(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("critical: [leaks none]\nsupporting: [errors at most 5 %]\n", "utf-8")
    policy = load_policy(tmp_path / "p.yaml")
    assert [(r.text, r.tier) for r in policy.rules] == [
        ("leaks none", "critical"), ("errors at most 5 %", "supporting"), ("unscored at most 2 %", "critical"),
    ]  # fmt: skip


def test_the_default_policy() -> None:
    x = np.linspace(0, 1, 12)
    metrics = dict.fromkeys(["style_identity", "rouge_l", "length_ratio"], x)
    results = make({"raft": metrics, "baseline": metrics}, list("abcdef") * 2)
    assert [(r.text, r.tier) for r in default_policy(results, with_baseline=False).rules] == [
        ("raft better than baseline on style_identity", "critical"), *((g, "critical") for g in GUARDS),
    ]  # fmt: skip
    assert [(r.text, r.tier) for r in default_policy(results, with_baseline=True).rules] == [
        ("raft not worse than the reference run on style_identity", "critical"),
        ("raft better than baseline on style_identity", "supporting"),
        ("raft not worse than the reference run on rouge_l", "supporting"),
        *((g, "critical") for g in GUARDS),
    ]


def test_the_policy_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "ci.md").read_text("utf-8")
    (tmp_path / "p.yaml").write_text("critical" + page.partition("```yaml\ncritical")[2].partition("```")[0], "utf-8")
    policy = load_policy(tmp_path / "p.yaml")
    assert len(policy.rules) == 9 and policy.may_differ == ("training",)
