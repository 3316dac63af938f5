"""The verdict's second looks: missing answers at the floor, and the best rival."""

import numpy as np
import pytest

from ratf.results.results import Scored, SecondLook, Verdict
from ratf.statistics.contrasts import contrasts
from ratf.statistics.decision import Decision, at_floor, best_rival, decide, unscored_by_arm

METRIC = "style_identity"
CLUSTER = {f"i{g}-{i}": f"i{g}" for g in range(8) for i in range(8)}
PAIR = ("raft", "baseline")
Table = dict[str, dict[str, dict[str, Scored]]]


def table(seed: int = 0, empty: dict[str, float] | None = None, why: str = "empty answer", **means: float) -> Table:
    """Scores around each arm's mean; `empty`: the share of its worst answers that an arm leaves unscored."""
    random = np.random.default_rng(seed)
    found: Table = {}
    for arm, mean in means.items():
        x = mean + random.normal(0, 0.2, len(CLUSTER))
        worst = set(np.argsort(x)[: round((empty or {}).get(arm, 0) * len(x))].tolist())
        found[arm] = {
            METRIC: {
                q: Scored(value=None, why=why) if i in worst else Scored(value=float(x[i]))
                for i, q in enumerate(CLUSTER)
            }
        }
    return found


def verdict(scores: Table, lower: bool = False) -> tuple[Verdict, str, list[SecondLook]]:
    found = next(c for c in contrasts(scores, [PAIR], CLUSTER) if c.metric == METRIC)
    facts = {METRIC: {"axis": "voice", "better": "lower" if lower else "higher"}}
    made = decide({METRIC: found}, PAIR, facts, scores, CLUSTER, {})
    return made.verdict, made.sentence, made.looks


SAYS = "sentence_coverage"
FACTS = {METRIC: {"axis": "voice", "better": "higher"}, SAYS: {"axis": "coverage", "better": "higher"}}


def both(says: Table, sounds: Table, trouble: dict[str, list[str]] | None = None, silent: str = "") -> Decision:
    """The verdict on two axes, each with its own table of scores."""
    scores = {arm: {SAYS: says[arm][METRIC], METRIC: sounds[arm][METRIC]} for arm in says}
    found = {c.metric: c for c in contrasts(scores, [PAIR], CLUSTER)}
    return decide({SAYS: found[SAYS], METRIC: found[METRIC]}, PAIR, FACTS, scores, CLUSTER, trouble or {}, silent)


ALIKE = table(1, raft=0.5, baseline=0.5, impostor_near=0.1)
AHEAD = table(2, raft=0.9, baseline=0.5, impostor_near=0.1)
BEHIND = table(3, raft=0.3, baseline=0.6, impostor_near=0.1)


@pytest.mark.parametrize(
    ("says", "sounds", "said"),
    [
        (AHEAD, AHEAD, "PASS"),
        (ALIKE, AHEAD, "PASS"),
        (AHEAD, ALIKE, "PASS"),
        (ALIKE, ALIKE, "INCONCLUSIVE"),
        (BEHIND, AHEAD, "REGRESSION"),
        (AHEAD, BEHIND, "REGRESSION"),
    ],
)
def test_two_axes_pass_where_one_is_better_and_neither_is_worse(says: Table, sounds: Table, said: str) -> None:
    made = both(says, sounds)
    assert made.verdict == said and [a.axis for a in made.axes] == ["coverage", "voice"]
    assert made.sentence.startswith("What it says: raft ") and ". How it sounds: raft " in made.sentence


def test_an_axis_that_was_not_measured_leaves_no_pass_and_is_named() -> None:
    made = both(AHEAD, AHEAD, {SAYS: ["it did not pass its exam"]}, "Not measured: what is said")
    assert made.verdict == "NOT MEASURED"
    assert made.sentence.startswith("What it says: not measured, it did not pass its exam. How it sounds: raft beats")
    assert made.sentence.endswith(". Not measured: what is said")
    assert both(AHEAD, BEHIND, {SAYS: ["no"]}).verdict == "REGRESSION", "what is shown to be worse is told all the same"


def test_silence_on_one_axis_spoils_a_pass_on_the_other() -> None:
    """What is said is alike only as long as the worst answers are left out."""
    quiet = table(1, {"raft": 0.3}, "empty answer", raft=0.5, baseline=0.5, impostor_near=0.1)
    made = both(quiet, AHEAD)
    assert made.verdict == "INCONCLUSIVE" and "left unscored at the floor raft is behind" in made.sentence


def test_two_axes_fail_identical_agents_no_oftener_than_one() -> None:
    tables = [table(100 + i, raft=0.5, baseline=0.5, impostor_near=0.1) for i in range(500)]
    said = [both(a, b).verdict for a, b in zip(tables[::2], tables[1::2], strict=True)]
    for verdict in ("PASS", "REGRESSION"):
        share = said.count(verdict) / len(said)
        assert share <= 0.025 + 2 * (0.025 * 0.975 / len(said)) ** 0.5, verdict


def turned(scores: Table) -> Table:
    return {
        arm: {m: {q: Scored(value=None if s.value is None else -s.value, why=s.why) for q, s in of.items()} for m, of in x.items()}
        for arm, x in scores.items()
    }  # fmt: skip


def test_leaving_the_worst_answers_empty_makes_no_pass() -> None:
    scores = table(raft=0.5, baseline=0.5, impostor_near=0.1, empty={"raft": 0.3})
    ends = next(c for c in contrasts(scores, [PAIR], CLUSTER))
    assert ends.low is not None and ends.low > 0, "left out, the empty answers make a difference that is none"
    said, sentence, (look,) = verdict(scores)
    assert said == "INCONCLUSIVE" and "raft beats baseline" in sentence
    assert "but with what was left unscored at the floor raft is not ahead any more" in sentence
    assert not look.holds and look.unscored == {"raft": 19, "baseline": 0} and "19 × empty answer" in look.words
    assert verdict(turned(scores), lower=True)[0] == "INCONCLUSIVE"


def test_an_arm_below_the_floor_gains_nothing_by_silence() -> None:
    """The other person's answers score higher than both arms: the floor alone would lift what was left out."""
    scores = table(raft=0.3, baseline=0.3, impostor_near=0.6, empty={"raft": 0.3})
    assert verdict(scores)[0] == "INCONCLUSIVE"


def test_a_real_lead_stands_a_few_empty_answers() -> None:
    said, sentence, (look,) = verdict(table(raft=0.9, baseline=0.5, impostor_near=0.1, empty={"raft": 0.05}))
    assert said == "PASS" and look.holds and "but" not in sentence
    assert look.difference is not None and look.low is not None and 0 < look.low < look.difference < 0.4


def test_without_a_floor_there_is_no_pass_that_rests_on_silence() -> None:
    said, sentence, _ = verdict(table(raft=0.9, baseline=0.5, empty={"raft": 0.05}))
    assert said == "INCONCLUSIVE" and "no score of impostor_near" in sentence


def test_what_is_not_the_arms_doing_stays_out() -> None:
    for why in ("error: the machine stopped", "not scored"):
        assert verdict(table(raft=0.9, baseline=0.5, impostor_near=0.1, empty={"raft": 0.3}, why=why))[::2] == (
            "PASS",
            [],
        )
    assert not unscored_by_arm("judge_stance", Scored(value=None, why="no number in the reply"))
    assert unscored_by_arm("judge_stance", Scored(value=None, why="empty answer"))
    assert unscored_by_arm(METRIC, Scored(value=None, why="word salad")) and not unscored_by_arm(
        METRIC, Scored(value=0.0)
    )


def test_a_question_that_nobody_has_a_score_on_counts_for_nobody() -> None:
    scores = table(raft=0.9, baseline=0.5, impostor_near=0.1)
    for arm in PAIR:
        scores[arm][METRIC]["i0-0"] = Scored(value=None, why="too short to score")
    assert at_floor(METRIC, PAIR, scores, CLUSTER, 1) is None


@pytest.mark.parametrize(
    ("rival", "said", "words"),
    [
        (1.2, "INCONCLUSIVE", "but raft is worse than the best rival, finetune_only: -0."),
        (0.9, "PASS", "; raft is not separable from the best rival, finetune_only: "),
        (0.6, "PASS", "; raft also beats the best rival, finetune_only: +0."),
    ],
)
def test_the_best_rival_is_named(rival: float, said: str, words: str) -> None:
    scores = table(raft=0.9, baseline=0.5, rag_only=0.55, finetune_only=rival, rag_impostor=9.0, real=9.0)
    found, sentence, (look,) = verdict(scores)
    assert found == said and words in sentence and look.arm == "finetune_only"
    assert verdict(turned(scores), lower=True)[0] == said


def test_a_lead_of_the_best_of_several_rivals_that_may_be_chance_says_why() -> None:
    scores = table(4, raft=0.9, baseline=0.2, rag_only=0.3, finetune_only=0.9)
    for at, (question, found) in enumerate(scores["finetune_only"][METRIC].items()):
        assert found.value is not None
        scores["finetune_only"][METRIC][question] = Scored(value=found.value + 0.1 + 0.12 * (-1) ** at)
    told = {}
    for level in (0.2, 0.001):
        look = best_rival(METRIC, PAIR, scores, CLUSTER, 1, level)
        assert look is not None and look.high is not None and look.high < 0
        told[level] = (look.holds, look.words)
    assert not told[0.2][0] and "is worse than" in told[0.2][1] and "as p is" not in told[0.2][1]
    assert told[0.001][0] and told[0.001][1].endswith("and only 0.0005 or less would show a difference")


@pytest.mark.parametrize(("raft", "said"), [(0.2, "INCONCLUSIVE"), (0.5, "PASS")])
def test_a_voice_that_other_peoples_words_could_have_makes_no_pass(raft: float, said: str) -> None:
    scores = table(4, raft=raft, baseline=0.0, impostor_near=0.1, same_near=0.9)
    found, sentence, looks = verdict(scores)
    (look,) = [look for look in looks if look.name == "above nothing"]
    assert found == said and look.holds is (said == "PASS")
    assert (look.words in sentence) is not look.holds and "what says nothing may have 0.2" in look.words
    coverage = decide(
        {METRIC: next(iter(contrasts(scores, [PAIR], CLUSTER)))},
        PAIR,
        {METRIC: {"axis": "coverage"}},
        scores,
        CLUSTER,
        {},
    )
    assert coverage.verdict == "PASS", "only a voice can be had so"


def test_the_best_of_many_equals_is_seldom_a_better_rival() -> None:
    """A rival that was looked for: its p counts as often as there are rivals."""
    names = [f"{a}_{b}" for a in ("finetune", "raft") for b in ("own", "none")]
    behind = 0
    for seed in range(400):
        look = best_rival(METRIC, PAIR, table(seed, None, "", raft=0.5, **dict.fromkeys(names, 0.5)), CLUSTER, 1)
        behind += look is not None and not look.holds
    assert behind / 400 <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5


def test_without_a_rival_and_without_silence_there_is_no_second_look() -> None:
    assert verdict(table(raft=0.9, baseline=0.5, impostor_near=0.1, rag_shuffled=0.2))[::2] == ("PASS", [])
