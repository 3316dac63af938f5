"""What is no answer is not scored as one, and counts against the arm."""

import json
from pathlib import Path

import pytest
from faulty import Faulty, failed, fine, said
from inspect_ai.model import ChatCompletionChoice, ChatMessageAssistant, ContentText, ModelOutput

from ratf.gate.gate import check
from ratf.models.states import is_refusal, state_of, stopped_by
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
    "I won't be able to help with that.",
    "I must decline this request.",
    "I apologize, but I do not feel comfortable responding to that request.",
    "I can't roleplay as a real person.",
    "I cannot create content that impersonates real people.",
    "I am Claude, an AI assistant made by Anthropic, and I can't pretend to be a real person.",
    "I'm just a language model, so I can't help you with that.",
    "I'm designed to be helpful, harmless, and honest, so I can't answer this.",
    "Your input has been flagged as potentially violating our usage policy.",
    "Error: content filtered",
    "That's against my guidelines.",
    "Sorry, that's beyond my current scope. Let's talk about something else.",
    "Lo siento, pero no puedo ayudar con eso.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Je suis désolé, mais je ne peux pas vous aider avec cela.",
    "抱歉，我无法提供帮助。",
]
ANSWERS = [
    "I'm sorry.",
    "I'm sorry, but I can't comment on that.",
    "I can't help it: I love that river.",
    "I can't help with that dam; nobody ever asked me to.",
    "I'm sorry, I can't help with that. My sister kept the lock, so you should ask her what it cost.",
    "Sorry, no. We were told to wait, and we waited.",
    "I can't answer that, the files are closed for twenty years.",
    "I must decline that.",
    "I'm not comfortable with that question.",
    "I'm sorry, but I cannot answer that question.",
    "I had to decline that request; it was 1986.",
    "I can't speak for real people in Ohio, but I know what they pay.",
    "As an economist, I have no view.",
    "Let's talk about something else.",
    "对不起，我不能回答这个问题。",
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


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("SAFETY", "content_filter"), ("PROHIBITED_CONTENT", "content_filter"), ("sensitive", "content_filter"),
        ("guardrail_intervened", "content_filter"), ("content-filtered", "content_filter"), ("refusal", "content_filter"),
        ("max_output_tokens", "max_tokens"), ("insufficient_system_resource", "error"), ("network_error", "error"),
        ("error", "error"), ("stop_sequence", None), ("", None),
    ],
)  # fmt: skip
def test_other_services_words_for_a_stop_are_understood(word: str, meaning: str | None) -> None:
    assert stopped_by(word) == meaning


def test_a_reply_that_stopped_for_safety_is_no_answer_whatever_it_is_called(study: Study, faulty: Faulty) -> None:
    """Half of an arm is refused in other words than Inspect knows, and one reply failed halfway."""
    asked = [json.dumps(e.question, ensure_ascii=False)[1:50] for e in study.held_out]
    words = [
        "SAFETY",
        "sensitive",
        "guardrail_intervened",
        "RECITATION",
        "refusal",
        "max_output_tokens",
        "network_error",
    ]

    def act(prompt: str) -> object:
        number = next(n for n, question in enumerate(asked) if question in prompt.rpartition('"user"')[2])
        if "You remember" in prompt and number < len(words):
            return said("The low fields had water in August, and I signed for", words[number])
        return fine(prompt)

    faulty.act = act  # type: ignore[assignment]
    results = carry_out(study, allow_leaks=True)
    arm = results.arms["rag_only"]
    assert arm.states == {"refused": 5, "cut": 1, "error": 1, "answered": 5}
    assert results.verdict == "NOT MEASURED"
    assert any("failed halfway: its finish_reason is 'network_error'" in kind for kind in arm.kinds_of_errors)


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
