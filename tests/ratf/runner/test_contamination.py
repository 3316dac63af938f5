"""Signs that a base model knows the held-out answers, with planted models that do and do not."""

from datetime import date
from pathlib import Path

import pytest
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

from raft.types import Exchange
from ratf.results.exams import Sign
from ratf.runner.calls import NEXT_WORDS, SHOWN_WORDS
from ratf.runner.contamination import MARGIN, concluded, continuation, cutoff_sign, panel, sign_of, unnamed
from ratf.statistics.estimates import clustered_mean
from ratf.suite.study import Study, open_study

ASKED: list[str] = []
KNOWN: dict[str, str] = {}


@modelapi(name="planted_memory")
class Planted(ModelAPI):
    """`knows` goes on as it really went on when told who speaks; `stranger` never does."""

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        text = "\n".join(m.text for m in input)
        ASKED.append(text)
        reply = "Nothing comes to mind about any of that at present, sorry."
        if self.model_name == "knows" and "exactly as it really went on" in text:
            reply = next(rest for first, rest in KNOWN.items() if first in text)
        output = ModelOutput.from_content(self.model_name, reply)
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output


@pytest.fixture
def study(tiny: Path, cache: Path, tmp_path: Path) -> Study:
    text = tiny.read_text().replace("held_out_interviews: 2, questions: 4", "held_out_interviews: 3, questions: 9")
    tiny.write_text(text.replace("models: {", "models: {base: planted_memory/knows, "))
    study = open_study(str(tiny), None, str(tmp_path / "out"))
    for e in study.held_out:
        words = e.answer.split()
        KNOWN[" ".join(words[:SHOWN_WORDS])] = " ".join(words[SHOWN_WORDS : SHOWN_WORDS + NEXT_WORDS])
    return study


def test_a_model_that_knows_the_answers_is_found_out_and_asked_once(study: Study) -> None:
    ASKED.clear()
    found = panel(study, {})
    assert found.says == "looks memorised" and found.signs[0].difference == pytest.approx(1.0, abs=0.1)
    asked = len(ASKED)
    assert panel(study, {}) == found and len(ASKED) == asked
    assert found.signs[1].reason == "the run has no baseline arm" and "not known" in found.signs[2].reason


def test_a_stranger_shows_no_sign(study: Study) -> None:
    study.suite.models.__dict__["base"] = "planted_memory/stranger"
    assert panel(study, {}).says == "no sign"


def test_only_the_guided_prompt_says_who_speaks_and_none_shows_the_rest(study: Study) -> None:
    for e in study.held_out:
        guided, general = (continuation(study, e, g)[0]["content"] for g in (True, False))
        rest = " ".join(e.answer.split()[SHOWN_WORDS : SHOWN_WORDS + 8])
        assert "Tove Marrack" in guided and "Tove Marrack" not in general
        assert rest not in guided and rest not in general
        hidden = "".join(m["content"] for m in unnamed(study, e))
        assert "Marrack" not in hidden and "Tove" not in hidden


def exchanges(interviews: int, each: int = 4) -> list[Exchange]:
    return [Exchange(f"i{n}", q, date(2000 + n, 1, 1), "", "") for n in range(interviews) for q in range(each)]


def test_a_lead_that_ends_with_the_models_knowledge_is_a_sign() -> None:
    asked = exchanges(12)
    noise = {e.exchange_id: 0.01 * ((i * 7) % 5) for i, e in enumerate(asked)}
    lead = {e.exchange_id: noise[e.exchange_id] + 0.3 * (e.date < date(2006, 1, 1)) for e in asked if e.date}
    assert cutoff_sign(asked, lead, date(2005, 6, 1), "w").says == "looks memorised"
    assert cutoff_sign(asked, noise, date(2005, 6, 1), "w").says == "no sign"
    late = cutoff_sign(asked, noise, date(2011, 6, 1), "w")
    assert late.says == "can't tell" and "12 interviews before" in late.reason and "0 after" in late.reason


def sign(difference: float, half: float, p: float) -> Sign:
    says = "looks memorised" if difference > half else "no sign" if difference + half < MARGIN else "can't tell"
    return Sign(
        name="s", words="w", says=says, difference=difference, low=difference - half, high=difference + half, p=p
    )


def test_one_of_three_signs_by_chance_is_no_conclusion() -> None:
    nothing = sign(0.0, 0.01, 0.9)
    assert concluded("m", [sign(0.1, 0.09, 0.03), nothing, nothing]).says == "can't tell"
    assert concluded("m", [sign(0.1, 0.03, 0.001), nothing, nothing]).says == "looks memorised"
    assert concluded("m", [nothing, nothing]).says == "no sign"
    assert concluded("m", [sign(-0.2, 0.03, 0.001)]).says == "no sign"
    assert concluded("m", [Sign(name="s", words="w", says="can't tell", reason="r")]).says == "can't tell"


def test_a_single_interview_gives_no_sign_either_way() -> None:
    assert sign_of("s", "w", clustered_mean([0.4, 0.5], ["i", "i"])).says == "can't tell"
    assert sign_of("s", "w", None).says == "can't tell"
