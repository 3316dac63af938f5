"""What became of a question: answered, cut, refused, empty or error, by the fields of the service's reply."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from ratf.results.results import State

if TYPE_CHECKING:
    from inspect_ai.model import ModelOutput

LONGEST_REFUSAL = 60
"""In words. What is longer says more than that it refuses."""


Stop = Literal["content_filter", "max_tokens", "error"]
PARTS = ("refusals", "beside")
CUT = ("max_tokens", "model_length")
"""How a reply stops that was not at its end."""


def state_of(output: "ModelOutput", about: Mapping[str, Any] | None = None) -> tuple[State, str]:
    """The state of an answer, and where it must stay unscored, why; a cut answer is scored.

    `about` is the sample's metadata: a control's given answer was really said, so that no words of it are a refusal. An
    answer of a file is one of any agent. The state `error` is the sample's, which has no answer.
    """
    about = about or {}
    text = output.completion.strip()
    stopped = output.choices[0].stop_reason if output.choices else "unknown"
    if stopped == "content_filter":
        return "refused", "refused: the service gave no answer"
    if marked_refused(output):
        return "refused", "refused: the service marks the reply as a refusal"
    if not text:
        if left_out := about.get("unanswered"):
            return "empty", str(left_out)
        return "empty", "cut off before the first word" if stopped in CUT else "empty answer"
    if "given" not in about and is_refusal(text):
        return "refused", "refused: the answer is nothing but a refusal"
    return ("cut" if stopped in CUT else "answered"), ""


def marked_refused(output: "ModelOutput") -> bool:
    """Whether the service itself marks the text of a reply as a refusal."""
    content = output.message.content if output.choices else ""
    return isinstance(content, list) and any(getattr(part, "refusal", None) for part in content)


def is_refusal(text: str) -> bool:
    """Whether a text is short and nothing but one of the refusals in `refusals.yaml`."""
    if len(text.split()) > LONGEST_REFUSAL:
        return False
    said = [s for part in re.split(r"[.!?;:\n。！？]+", text.casefold().replace("’", "'")) if (s := _bare(part))]
    refusals, beside = _formulas()
    found = [bool(refusals.fullmatch(s)) for s in said]
    return any(found) and all(f or beside.fullmatch(s) for f, s in zip(found, said, strict=True))


def stopped_by(word: str) -> Stop | None:
    """What a service's own word for how its reply stopped means, by `stops` in `refusals.yaml`; None where nobody knows."""
    bare = " ".join(re.sub(r"[^a-z]+", " ", word.casefold()).split())
    return next((meaning for meaning, words in _read()["stops"].items() if bare in words), None)


def _bare(sentence: str) -> str:
    return " ".join(re.sub(r"[^\w']+", " ", sentence).split())


@cache
def _read() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "refusals.yaml").read_text("utf-8"))
    return read


@cache
def _formulas() -> tuple[re.Pattern[str], re.Pattern[str]]:
    read = _read()
    whole = [
        [p.replace("SORRY", read["sorry"]).replace("UNABLE", read["unable"]) for p in read[part]] for part in PARTS
    ]
    refusals, beside = (re.compile("|".join(f"(?:{p})" for p in patterns)) for patterns in whole)
    return refusals, beside
