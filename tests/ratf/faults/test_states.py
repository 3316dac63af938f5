"""What is no answer is not scored as one, and counts against the arm."""

import json
from pathlib import Path

import pytest
from faulty import Faulty, failed, fine, said
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ContentText, ModelOutput

from ratf.gate.gate import check
from ratf.models.states import is_refusal, state_of
from ratf.runner.run import carry_out
from ratf.suite.study import Study

CANNED = "I'm sorry, I can't help with that."
REFUSALS = [
    CANNED,
    "I’m sorry, but I can't assist with that request.",
    "I can't help with that. Is there anything else I can help you with?",
    "I cannot fulfill this request.",
    "I apologize, but I cannot provide that information.",
    "As an AI language model, I don't have personal opinions on dams.",
    "I'm unable to help with that.",
    "Your request was flagged by our safety system.",
]
ANSWERS = [
    "I'm sorry.",
    "I'm sorry, but I can't comment on that.",
    "I can't help it: I love that river.",
    "I can't help with that dam; nobody ever asked me to.",
    "I'm sorry, I can't help with that. My sister kept the lock, so you should ask her what it cost.",
    "Sorry, no. We were told to wait, and we waited.",
    "I can't answer that, the files are closed for twenty years.",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_recognised(text: str) -> None:
    assert is_refusal(text) and state_of(ModelOutput.from_content("m", text))[0] == "refused"


@pytest.mark.parametrize("text", ANSWERS)
def test_people_who_are_sorry_or_cannot_say_have_answered(text: str) -> None:
    assert not is_refusal(text)


def test_what_a_person_really_said_is_no_refusal() -> None:
    output = ModelOutput.from_content("given", CANNED)
    assert state_of(output, {"given": {"text": CANNED}}) == ("answered", "")


def test_the_states_by_the_fields_of_the_reply() -> None:
    assert state_of(ModelOutput(model="m")) == ("empty", "empty answer")
    assert state_of(ModelOutput.from_content("m", "A filtered one.", "content_filter"))[0] == "refused"
    assert state_of(ModelOutput.from_content("m", "It went on and", "max_tokens")) == ("cut", "")
    assert state_of(ModelOutput.from_content("m", "", "max_tokens"))[0] == "empty"
    marked = ChatMessageAssistant(content=[ContentText(text="No, not this.", refusal=True)])
    assert state_of(ModelOutput(model="m", choices=[ChatCompletionChoice(message=marked)]))[0] == "refused"


def test_refusals_of_half_an_arm_are_no_pass_and_cut_answers_are_told(study: Study, faulty: Faulty) -> None:
    """By HTTP 400, by the field `refusal`, by `finish_reason`, and by a canned sentence; two of 12 questions are cut."""
    asked = [json.dumps(e.question, ensure_ascii=False)[1:50] for e in study.held_out]
    ways = [
        failed(400, "The prompt was filtered.", code="content_filter"),
        said(None, refusal="I would rather not."),
        said("", stop="content_filter"),
        said(CANNED),
    ]

    def act(prompt: str) -> object:
        number = next(n for n, question in enumerate(asked) if question in prompt.rpartition('"user"')[2])
        if number < 4 and "You remember" in prompt:
            return ways[number]
        return said(fine(prompt)[1]["choices"][0]["message"]["content"], "length") if number >= 10 else fine(prompt)

    faulty.act = act  # type: ignore[assignment]
    results = carry_out(study, allow_leaks=True)
    arm = results.arms["rag_only"]
    assert arm.states == {"refused": 4, "answered": 6, "cut": 2} and results.arms["baseline"].states["cut"] == 2
    refused = [q.answers["rag_only"] for q in results.questions if q.answers["rag_only"].state == "refused"]
    assert all(s.value is None and s.why.startswith("refused") for a in refused for s in a.scores.values())
    assert arm.metrics["rouge_l"].n == 8 and arm.metrics["rouge_l"].unscored == 4, "cut answers are scored"
    assert results.verdict == "NOT MEASURED" and "4 of 12 answers of rag_only could not be scored" in results.sentence
    checked = check(results)
    assert checked.verdict == "NOT MEASURED" and "rag_only: 2 of 12 answers were cut" in " ".join(checked.notes)
    page = Path(study.folder / "report.html").read_text("utf-8")
    assert "2 of 12 answers were cut at their greatest length" in page and "rag_only 4" in page
