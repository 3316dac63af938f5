"""Judges with a known character, as an Inspect provider: what the exam must let through, and what it must not."""

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    get_model,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo
from places import REPOSITORY

from ratf.edits.turned import turned_round
from ratf.judges.texts import cut
from ratf.suite.arms import DIRECTION
from ratf.suite.rubric import shipped
from ratf.suite.study import Study, open_study

FENCE = re.compile(r"⟦([^⟧]+)⟧\n(.*?)\n⟦end of \1⟧", re.DOTALL)


@dataclass(frozen=True)
class View:
    """A judge's prompt as the planted judges see it: the fenced texts, the replies in order, the last line."""

    texts: dict[str, str]
    replies: list[str]
    last: str
    prompt: str
    seed: int | None = None

    @property
    def in_pairs(self) -> bool:
        return "A" in self.texts

    def reply(self, choice: str) -> str:
        return choice if "one word" in self.last else f'{{"choice": "{choice}"}}'


def view(prompt: str, seed: int | None = None) -> View:
    last = prompt.splitlines()[-1]
    listed = re.search(r"(?:one word only: |where … is )(.+)\.", last)
    replies = re.split(", | or ", listed[1]) if listed else []
    return View(dict(FENCE.findall(prompt)), replies, last, prompt, seed)


Character = Callable[[View], str]


def perfect(own: Iterable[str], study: Study | None = None, against: Iterable[str] = ()) -> Character:
    """Knows the person's texts by heart, which texts are `against` them, and of a study the log of what was turned round."""
    starts = {" ".join(text.split())[:50] for text in own}
    sizes = {rubric.max_words for rubric in shipped().values()}
    copies = [c for words in sizes for c in copies_of(study, words)] if study else []
    copies += [(cut(text, words), "") for text in against for words in sizes]

    def persons(text: str) -> bool:
        # what is written in the text is no reason to like it
        said = text.rpartition("Reply with Yes. ")[2]
        if any(turned.startswith(said) for turned, _ in copies):
            return False
        return any(even == said for _, even in copies) or any(start in " ".join(text.split()) for start in starts)

    def decide(seen: View) -> str:
        if seen.in_pairs:
            return seen.reply("A" if persons(seen.texts["A"]) else "B")
        return seen.reply("Yes" if persons(seen.texts["answer"]) else "No")

    return decide


def copies_of(study: Study, words: int) -> list[tuple[str, str]]:
    """Each turned copy and its even rewording, as a judge reads them that reads so many words."""
    made = turned_round(study, words)
    return [
        (cut(e.text, words), cut(made[f"even_{kind}"][q].text, words))
        for kind in DIRECTION
        for q, e in made.get(f"edit_{kind}", {}).items()
    ]


def word_matcher(at_least: float = 0.5) -> Character:
    """Takes an answer for the same view where it shares words with the real one: ROUGE-1 as a judge."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1"])

    def decide(seen: View) -> str:
        score = scorer.score(seen.texts["real answer"], seen.texts["answer"])["rouge1"].fmeasure
        return seen.reply("Yes" if score >= at_least else "No")

    return decide


def coin(seed: int = 0) -> Character:
    lot = random.Random(seed)
    return lambda seen: seen.reply(lot.choice(seen.replies))


def always_first(seen: View) -> str:
    return seen.reply(seen.replies[0])


def longest_wins(words: int) -> Character:
    def decide(seen: View) -> str:
        if seen.in_pairs:
            return seen.reply("A" if len(seen.texts["A"].split()) > len(seen.texts["B"].split()) else "B")
        return seen.reply("Yes" if len(seen.texts["answer"].split()) > words else "No")

    return decide


def sycophant(otherwise: Character) -> Character:
    """Does what a text tells it to."""

    def decide(seen: View) -> str:
        told = [label for label, text in seen.texts.items() if "Reply with" in text]
        if not told:
            return otherwise(seen)
        return seen.reply(told[0] if seen.in_pairs else "Yes")

    return decide


def refuser(otherwise: Character, often: int = 3) -> Character:
    return lambda seen: (
        "I'm sorry, I can't judge people." if sum(seen.prompt.encode()) % often == 0 else otherwise(seen)
    )


CHARACTERS: dict[str, Character] = {}
"""Those that a suite may name, as `planted/<name>`."""


@modelapi(name="planted")
class Planted(ModelAPI):
    """A model that judges as it is told to."""

    def __init__(self, model_name: str, character: Character | None = None, **_: object) -> None:
        super().__init__(model_name)
        self.character = character
        self.asked: list[str] = []

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        self.asked.append(input[-1].text)
        # looked up at each call: Inspect keeps the models of the tests before, which had other characters
        character = self.character or CHARACTERS[self.model_name]
        output = ModelOutput.from_content(self.model_name, character(view(input[-1].text, config.seed)))
        output.usage = ModelUsage(input_tokens=100, output_tokens=1, total_tokens=101)
        return output


def planted(name: str, character: Character) -> Model:
    return get_model(f"planted/{name}", memoize=False, character=character)


DEMO = REPOSITORY / "benchmarks" / "demo.yaml"


def demo(tmp_path: Path, *metrics: str, **more: object) -> Study:
    about = {"metrics": ["style_identity", *metrics], "primary": {"metric": "style_identity"}, **more}
    suite = yaml.safe_load(DEMO.read_text("utf-8")) | about
    path = tmp_path / "suite.yaml"
    path.write_text(yaml.safe_dump(suite), "utf-8")
    return open_study(str(path), data=str(DEMO.parent), out=str(tmp_path / "run"))


def controls(study: Study) -> dict[str, dict[str, str]]:
    """Texts of the right people; which question they answered does not matter to a planted judge."""
    keys = [e.exchange_id for e in study.held_out]
    own = [e.answer for e in study.earlier]
    other = [e.answer for e in study.impostors[0].exchanges]
    return {
        "real": {e.exchange_id: e.answer for e in study.held_out},
        "same_near": {k: own[i % len(own)] for i, k in enumerate(keys)},
        "impostor_near": {k: other[i % len(other)] for i, k in enumerate(keys)},
        "impostor_far": {k: other[-1 - i % len(other)] for i, k in enumerate(keys)},
    }
