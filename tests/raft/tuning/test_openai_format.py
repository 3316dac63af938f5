import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raft.errors import RaftError
from raft.tuning.openai_format import MIN_EXAMPLES, check, cost, known, openai_jsonl
from raft.types import TrainingSample

GOOD = {
    "messages": [
        {"role": "system", "content": "You are Ada."},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "Earlier.", "weight": 0},
        {"role": "user", "content": "And why bees?"},
        {"role": "assistant", "content": "Because."},
    ]
}


def lines(*examples: Any) -> bytes:
    return b"".join((e if isinstance(e, bytes) else json.dumps(e).encode()) + b"\n" for e in examples)


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    example: dict[str, Any] = json.loads(json.dumps(GOOD))
    change(example)
    return example


BROKEN = [
    (b"", "is empty"),
    (b"{", "not JSON"),
    (b'{"messages": NaN}', "NaN is no JSON number"),
    (b"\xff{}", "not UTF-8 at byte 0"),
    (b"[" * 100_000, "not JSON|nested too deep"),
    ([1], "is not a JSON object"),
    ({}, "messages: is missing or empty"),
    ({"messages": []}, "messages: is missing or empty"),
    ({"messages": ["x"]}, r"messages\[0\]: is not an object"),
    (changed(lambda e: e.update(tools=[])), "'tools' is not a known key"),
    (changed(lambda e: e["messages"][0].update(mood="x")), r"messages\[0\].mood: is not a known key"),
    (changed(lambda e: e["messages"][1].update(role="human")), r"messages\[1\].role: 'human' is no role"),
    (changed(lambda e: e["messages"][1].update(content=" \n")), r"messages\[1\].content: is missing or empty"),
    (changed(lambda e: e["messages"][1].pop("content")), r"messages\[1\].content: is missing or empty"),
    (changed(lambda e: e["messages"][1].update(content=[{"type": "text"}])), r"messages\[1\].content: is missing"),
    (changed(lambda e: e["messages"][1].update(content="\ud800")), r"half of a surrogate pair"),
    (changed(lambda e: e["messages"][1].update(name="no spaces")), r"messages\[1\].name: has up to 64"),
    (changed(lambda e: e["messages"][1].update(weight=1)), r"messages\[1\].weight: is for the assistant's"),
    (changed(lambda e: e["messages"][4].update(weight=0.5)), r"messages\[4\].weight: 0.5 is neither 0 nor 1"),
    (changed(lambda e: e["messages"][4].update(weight=True)), r"messages\[4\].weight: True is neither"),
    (changed(lambda e: e["messages"][4].update(weight=0)), "every answer has weight 0"),
    (changed(lambda e: e["messages"].append({"role": "system", "content": "x"})), "comes first or not at all"),
    (changed(lambda e: e["messages"].pop()), "the last message is the assistant's"),
    ({"messages": [{"role": "assistant", "content": "x"}]}, "nobody asks"),
]


@pytest.mark.parametrize(("broken", "says"), BROKEN)
def test_each_rule_is_checked_and_its_line_named(broken: Any, says: str) -> None:
    found = check(lines(*[GOOD] * 10, broken, GOOD), "f.jsonl")
    assert found.problems and all(p.startswith("f.jsonl:11: ") for p in found.problems)
    assert any(re.search(says, p) for p in found.problems)


def test_all_problems_are_told_at_once() -> None:
    found = check(lines(*(broken for broken, _ in BROKEN)), "f.jsonl")
    assert {int(p.split(":")[1]) for p in found.problems} == set(range(1, len(BROKEN) + 1))


def test_the_file_as_a_whole() -> None:
    assert check(lines(*[GOOD] * 10), "f").problems == []
    (few,) = check(lines(*[GOOD] * 9), "f").problems
    assert few == f"f: 9 examples; fine-tuning needs at least {MIN_EXAMPLES}"
    assert check(b"", "f", minimum=0).problems == []
    (mark,) = check("\ufeff".encode() + lines(*[GOOD] * 10), "f").problems
    assert "byte order mark" in mark


def test_an_example_must_fit_the_model() -> None:
    long = changed(lambda e: e["messages"][1].update(content="word " * 20_000))
    (problem,) = check(lines(*[GOOD] * 10, long), "f", "gpt-3.5-turbo-0125").problems
    assert problem.startswith("f:11: about 250") and "gpt-3.5-turbo-0125 takes 16385" in problem
    assert check(lines(*[GOOD] * 10, long), "f", "gpt-4o-mini-2024-07-18").problems == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["messages", "role", "content", "x"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(st.lists(json_values.map(lambda v: json.dumps(v).encode()) | st.binary(), max_size=5))
def test_no_input_crashes_the_check(parts: list[bytes]) -> None:
    found = check(lines(*parts), "f")
    assert all(p.startswith("f") for p in found.problems)


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.lists(st.tuples(texts, texts), max_size=3), texts, texts), min_size=10, max_size=12))
def test_what_is_written_is_valid_and_says_the_same(rows: list[tuple[list[tuple[str, str]], str, str]]) -> None:
    samples = [
        TrainingSample(
            f"e{i}",
            (
                {"role": "system", "content": "s"},
                *(m for q, a in told for m in ({"role": "user", "content": q}, {"role": "assistant", "content": a})),
                {"role": "user", "content": question},
            ),
            answer,
        )
        for i, (told, question, answer) in enumerate(rows)
    ]
    written = openai_jsonl(samples)
    assert check(written.encode(), "f").problems == []
    for line, sample in zip(written.removesuffix("\n").split("\n"), samples, strict=True):
        messages = json.loads(line)["messages"]
        assert [m["content"] for m in messages] == [*(m["content"] for m in sample.prompt), sample.answer]
        learnt = [m for m in messages if m["role"] == "assistant" and m.get("weight", 1)]
        assert learnt == [messages[-1]], "each answer is learnt once, in its own sample"


def test_the_cost_is_told_or_said_to_be_unknown() -> None:
    found = check(lines(*[GOOD] * 40), "f")
    assert found.tokens == 40 * (3 + 1 + 2 + 4 + 2 + 5 * 6)
    assert "40 examples, about 1680 tokens × 3 epochs = 5040 tokens; about US$ 0.02 (3 per million" in cost(
        found, "gpt-4o-mini-2024-07-18", None, None
    )
    assert "the price of other-llm is unknown" in cost(found, "other-llm", 2, None)
    assert "US$ 0.34 (100 per million, as given)" in cost(found, "other-llm", 2, 100)
    assert known("ft:gpt-4.1-mini-2025-04-14:org::id") == known("gpt-4.1-mini") != known("gpt-4.1")
    with pytest.raises(RaftError, match="does not chat"):
        known("davinci-002")
