"""Effects that were planted are found; what the arms cannot tell is not claimed."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratf.results.results import Effect, Scored
from ratf.statistics.attribution import attribution, design, effects, findings
from ratf.statistics.contrasts import Scores, contrasts
from ratf.suite.arms import ARMS, NAMED

TRAINING = {"none": 0.0, "ft": 0.10, "ft+mem": 0.16}
MEMORIES = {"none": 0.0, "own": 0.08, "shuffled": 0.03, "impostor": -0.02}
NEED = 0.06
"""So much more do own memories bring after training with memories."""


def truth(arm: str) -> float:
    recipe = ARMS[arm]
    return (
        TRAINING[recipe.training]
        + MEMORIES[recipe.memories]
        + NEED * (recipe.training == "ft+mem" and recipe.memories == "own")
    )


def suite(
    arms: Sequence[str], seed: int = 0, interviews: int = 10, each: int = 5, mean: Callable[[str], float] = truth
) -> tuple[Scores, dict[str, str]]:
    """Scores with the effects of `mean`; a question's and an interview's difficulty, and an arm's way with an interview."""
    random = np.random.default_rng(seed)
    cluster = {f"i{g:02d}-q{n}": f"i{g:02d}" for g in range(interviews) for n in range(each)}
    hard = random.normal(0.5, 0.1, len(cluster)) + np.repeat(random.normal(0, 0.05, interviews), each)
    scores: Scores = {}
    for arm in arms:
        own = np.repeat(random.normal(0, 0.02, interviews), each) + random.normal(0, 0.05, len(cluster))
        values = hard + own + mean(arm)
        scores[arm] = {"style_identity": {q: Scored(value=float(v)) for q, v in zip(cluster, values, strict=True)}}
    return scores, cluster


def found(arms: Sequence[str], **world: object) -> dict[str, Effect]:
    made = attribution(*suite(arms, **world))  # type: ignore[arg-type]
    return {e.name: e for e in made.effects} if made else {}


FULL = {
    "fine-tuning": 0.10,
    "fine-tuning with memories": 0.16 + NEED / 2,
    "memory training by itself": 0.06,
    "memory training with own memories": 0.06 + NEED,
    "own memories": 0.08 + NEED / 3,
    "content of memories": 0.05 + NEED / 3,
    "whose memories": 0.10 + NEED / 3,
    "own memories × fine-tuning": 0.0,
    "own memories × fine-tuning with memories": NEED,
}
TWO_BY_TWO = {
    "fine-tuning": 0.10,
    "fine-tuning with memories": 0.16 + NEED,
    "own memories": 0.08,
    "raft − finetune_only": 0.06 + 0.08 + NEED,
    "2×2 training": (0.10 + 0.16 + NEED) / 2,
    "2×2 memories": (0.08 + 0.14 + NEED) / 2,
    "2×2 interaction": 0.06 + NEED,
}


@pytest.mark.parametrize(("arms", "planted"), [(list(ARMS), FULL), (NAMED, TWO_BY_TWO)])
def test_planted_effects_are_recovered(arms: list[str], planted: dict[str, float]) -> None:
    runs = [found(arms, seed=seed) for seed in range(60)]
    assert list(runs[0]) == list(planted)
    for name, true in planted.items():
        held = [
            e for run in runs if (e := run[name]).low is not None and e.high is not None and e.low <= true <= e.high
        ]
        assert np.mean([run[name].effect for run in runs]) == pytest.approx(true, abs=0.01), name
        assert len(held) >= 51, f"{name}: {len(held)} of 60 intervals hold the truth"  # 57 are expected; P under 1 %


def test_memories_whose_content_is_not_used_show_no_use_of_content() -> None:
    """Any memories help alike: own − shuffled is nothing, own − none is something."""
    helped = lambda arm: 0.1 * (ARMS[arm].memories != "none")  # noqa: E731
    runs = [found(list(ARMS), seed=seed, interviews=6, mean=helped) for seed in range(200)]
    false = sum((run["content of memories"].p or 1) <= 0.05 for run in runs)
    assert false <= 200 * 0.05 + 2 * (200 * 0.05 * 0.95) ** 0.5
    assert all(run["own memories"].p_holm and run["own memories"].p_holm < 0.05 for run in runs)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arms", "names"),
    [
        (["raft"], []),
        (["baseline", "raft"], []),
        (["baseline", "rag_only"], ["own memories"]),
        (["rag_only", "rag_shuffled"], ["content of memories"]),
        (["finetune_only", "raft_none"], ["memory training by itself"]),
        ([*NAMED, "raft_shuffled"], [*list(TWO_BY_TWO)[:3], "content of memories", *list(TWO_BY_TWO)[3:]]),
        (
            [*NAMED, "raft_none"],
            [
                "fine-tuning",
                "fine-tuning with memories",
                "memory training by itself",
                "own memories",
                "own memories × fine-tuning with memories",
            ],
        ),
    ],
)
def test_fewer_arms_give_fewer_effects(arms: list[str], names: list[str]) -> None:
    assert list(found(arms)) == names
    assert (attribution(*suite(arms)) is None) == (not names)


def test_controls_are_no_arms() -> None:
    scores, cluster = suite(NAMED)
    with_controls = {**scores, "impostor_near": scores["raft"]}
    assert attribution(with_controls, cluster) == attribution(scores, cluster)


def test_only_what_the_four_arms_confound_is_mixed() -> None:
    assert [n for n, e in found(NAMED).items() if e.mixed] == list(TWO_BY_TWO)[3:]
    assert not any(e.mixed for e in found(list(ARMS)).values())


@given(st.sets(st.sampled_from(list(ARMS))))
def test_every_effect_is_a_contrast_of_arms_that_are_there(arms: set[str]) -> None:
    planned = effects(sorted(arms))
    assert len({p.name for p in planned}) == len(planned)
    for p in planned:
        assert p.weights.keys() <= arms
        assert sum(p.weights.values()) == pytest.approx(0, abs=1e-12)
        assert sum(w for w in p.weights.values() if w > 0) == pytest.approx(2 if p.kind == "interaction" else 1)


def test_one_interview_gives_no_interval() -> None:
    for e in found(NAMED, interviews=1).values():
        assert (e.low, e.high, e.p, e.p_holm, e.smallest_detectable) == (None,) * 5 and e.effect is not None
        assert e.n_interviews == 1
    assert findings(list(found(NAMED, interviews=1).values())).startswith("A single interview")


def test_a_question_counts_where_all_arms_of_the_effect_have_a_score() -> None:
    scores, cluster = suite(NAMED)
    scores["raft"]["style_identity"]["i00-q0"] = Scored(value=None, why="parse")
    del scores["rag_only"]["style_identity"]["i01-q1"]
    made = attribution(scores, cluster)
    counted = {e.name: e.n_questions for e in made.effects} if made else {}
    assert counted["fine-tuning"] == 50 and counted["own memories"] == 49 and counted["2×2 interaction"] == 48


def test_effects_of_single_arms_are_the_paired_differences() -> None:
    scores, cluster = suite(NAMED)
    pairs = {"fine-tuning": ("finetune_only", "baseline"), "own memories": ("rag_only", "baseline")}
    made = {(c.a, c.b): c for c in contrasts(scores, list(pairs.values()), cluster)}
    for name, pair in pairs.items():
        effect, contrast = found(NAMED)[name], made[pair]
        assert (effect.effect, effect.low, effect.smallest_detectable) == pytest.approx(
            (contrast.difference, contrast.low, contrast.smallest_detectable)
        )


def test_more_arms_change_no_score_and_no_interval_of_the_others() -> None:
    """The comparisons of the named arms are the same with four arms and with twelve, their effects with a fifth."""
    many, cluster = suite(list(ARMS))
    few = {arm: many[arm] for arm in NAMED}
    pairs = [(a, b) for a in NAMED for b in NAMED if a != b]
    assert contrasts(few, pairs, cluster) == contrasts(many, pairs, cluster)
    five = found([*NAMED, "rag_shuffled"])
    for name, effect in found(NAMED).items():
        # Holm's family has grown, and nothing else
        assert five[name].model_copy(update={"p_holm": None}) == effect.model_copy(update={"p_holm": None})


def test_coarse_scores_that_cancel_leave_nothing() -> None:
    coarse = {"baseline": 0.1, "rag_only": 0.3, "finetune_only": 0.6, "raft": 0.8}
    cluster = {f"q{n}": f"i{n % 6}" for n in range(12)}
    scores: Scores = {a: {"rouge_l": {q: Scored(value=v) for q in cluster}} for a, v in coarse.items()}
    made = attribution(scores, cluster)
    interaction = next(e for e in made.effects if e.name == "2×2 interaction") if made else None
    assert interaction and (interaction.effect, interaction.p) == (0.0, 1.0)


def test_ten_thousand_questions_take_a_moment() -> None:
    several = [Scored(value=n / 97) for n in range(97)]
    cluster = {f"q{n:05d}": f"i{n // 20}" for n in range(10_000)}
    scores: Scores = {
        arm: {m: {q: several[(n * (i + 2)) % 97] for n, q in enumerate(cluster)} for m in ("rouge_l", "style_identity")}
        for i, arm in enumerate(ARMS)
    }
    start = time.process_time()
    assert attribution(scores, cluster)
    assert time.process_time() - start < 2


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(ARMS)[:6]))
def test_the_order_of_arms_changes_nothing(order: list[str]) -> None:
    scores, cluster = suite(sorted(order), interviews=3, each=2)
    assert attribution({arm: scores[arm] for arm in order}, cluster) == attribution(scores, cluster)


def test_the_words_say_what_these_arms_cannot_separate() -> None:
    named, full = design(NAMED), design(list(ARMS))
    assert "cannot separate the two" in named and "finetune_own and raft_none would" in named
    assert "takes an arm with shuffled memories" in named
    assert "cannot" not in full and "use of their content" in full and "by itself" in full
    assert "told apart" in design([*NAMED, "raft_none"]) and "use of" not in design([*NAMED, "finetune_shuffled"])
    assert all("another seed" in words for words in (named, full)) and design(["baseline"]) == ""


def test_the_findings_name_what_is_shown_and_how_small_the_rest_would_have_to_be() -> None:
    said = findings(list(found(list(ARMS)).values()))
    assert (
        said.startswith("Raised by: fine-tuning +0.098 [0.072, 0.124]; ")
        and "own memories × fine-tuning (the smallest" in said
    )
    of_four = [e for e in found(NAMED).values() if len(e.weights) == 4]
    assert of_four and not any(e.name in findings(list(found(NAMED).values())) for e in of_four), (
        "they mix several things"
    )
    assert all(e.name in findings(of_four) for e in of_four), "but for where there is nothing else"
    assert "Lower is better" in findings(list(found(NAMED).values()), lower_is_better=True)
    assert findings([]).startswith("No question")
