"""A suite on hosted models alone, and its pipeline, as `ratf init --hosted` writes them."""

import re
from collections.abc import Sequence
from pathlib import Path

from raft.errors import RaftError
from raft.people.person import exchanges, load_interviews
from raft.people.split import usual_held_out

PACKAGES = {
    "anthropic": ("anthropic", "anthropic"),
    "azureai": ("azure-ai-inference", "azure.ai.inference"),
    "google": ("google-genai", "google.genai"),
    "grok": ("xai-sdk", "xai_sdk"),
    "groq": ("groq", "groq"),
    "mistral": ("mistralai", "mistralai"),
}
"""The package with which Inspect asks a provider's models, and its import, where RATF does not bring it."""

EMBEDDER = "openai/text-embedding-3-small"
MOST_QUESTIONS = 36

SUITE = """\
# Does {base} answer more like {person} with memories than without? Everything is asked of hosted models:
# nothing is tuned, and no torch is needed. The environment has their keys: {keys}.
name: hosted
person: {person}
impostors: [{impostors}]
{strangers}
split:
  held_out_interviews: {held_out}   # the newest, whole
  questions: {questions}             # evenly spaced; without this line, all are asked

answers:
  # Arms with memories would have room for fewer of the person's real earlier answers, which show the voice by
  # example: a difference between arms would then be one of history, too. So every arm is asked afresh.
  history: none

models:
  base: {base}
  embedder: {embedder}   # finds memories, and compares what answers say
  # Grades only where it passes its exam. A model grades its own answers kindly: another one is better.
  grader: {base}

arms: [baseline, rag_only]

primary:
  metric: both
  better: rag_only
  than: baseline

seed: 1
"""


def hosted_suite(folder: Path, model: str, person: str | None = None, strangers: Sequence[str] = ()) -> str:
    """The text of a suite in which `model` answers, without and with memories, and grades.

    Its people are those whose folders lie in `folder`; the person, where none is named, is the one with writings who
    answers most, and who is neither the person nor among the `strangers` is an impostor. Raises RaftError where the
    model is no hosted one or the people do not suffice, and DataError for what is wrong with their interviews.
    """
    provider, _, name = model.partition("/")
    if not provider or not name or provider == "local":
        raise RaftError(f"--hosted {model}: not a hosted model; write provider/model, as openai/gpt-4.1-mini")
    answers = _answers(folder)
    writers = [key for key in answers if (folder / key / "writings.jsonl").is_file()]
    who = person or max(writers, key=answers.__getitem__, default="")
    if not who:
        raise RaftError(
            f"nobody in {folder} has writings, so nothing can be remembered: raft fetch {folder}/NAME --from …"
        )
    if who not in answers:
        raise RaftError(f"--person {who}: not in {folder}; there are {', '.join(answers)}")
    others = [key for key in answers if key != who and key not in strangers]
    if not others:
        raise RaftError(
            f"{who} is alone in {folder}, and a suite compares with somebody else. Add the interviews of somebody who is "
            f"asked alike: raft import FILE… --to {folder}/NAME --target LABEL"
        )
    return SUITE.format(
        base=model,
        person=who,
        impostors=", ".join(others),
        strangers=f"strangers: [{', '.join(strangers)}]\n" if strangers else "",
        held_out=usual_held_out(_dated(folder / who)),
        questions=MOST_QUESTIONS,
        embedder=EMBEDDER,
        keys=" and ".join(keys_of(model)),
    )


def keys_of(model: str) -> list[str]:
    """The environment variables with the keys of a hosted model and of the embedder beside it."""
    return list(dict.fromkeys([f"{model.partition('/')[0].upper().replace('-', '_')}_API_KEY", "OPENAI_API_KEY"]))


def _answers(folder: Path) -> dict[str, int]:
    """The people in a folder, each with the number of their answers."""
    keys = sorted(path.parent.name for path in folder.glob("*/interviews.jsonl"))
    return {key: sum(1 for i in load_interviews(folder / key, True) for _ in exchanges(i)) for key in keys}


def _dated(folder: Path) -> int:
    """How many of a person's interviews have a date and an answer."""
    return sum(1 for i in load_interviews(folder, True) if i.date and any(exchanges(i)))


WITHOUT_TORCH = (
    (r" *# torch first[^\n]*\n", ""),
    (r"[^\n]*torch==[^\n]*\n", ""),
    (r"      - name: Embedded models\n(?:        [^\n]*\n)+\n", ""),
    (
        r"        prefix: ratf-models\n      paths: \[\.pip, \.ratf/models\]",
        "        prefix: ratf-packages\n      paths: [.pip]",
    ),
    (r"\bdemo\.yaml\b", "hosted.yaml"),
    (r"(?<=\.whl)\[local\]|(?<=ratf-eval)\[local\]", ""),
    (r", after torch\.", "."),
    (r"\braft (?=not worse|better)", "rag_only "),
)
"""What a recipe for local models says, as a pattern, and what one for hosted models says in its place."""


def hosted_pipeline(recipe: str, model: str) -> str:
    """A pipeline, a policy or requirements for a suite on hosted models: without torch, and with the models' keys."""
    for pattern, instead in WITHOUT_TORCH:
        recipe = re.sub(pattern, instead, recipe)
    provider = model.partition("/")[0]
    if provider in PACKAGES:  # before the wheel, which requirements alone have on a line of its own
        recipe = re.sub(
            r"(?m)^(?=\S+\.whl$)", lambda _: f"{PACKAGES[provider][0]}  # asks {provider}/… models\n", recipe
        )
    keys = "".join(f"          {key}: ${{{{ secrets.{key} }}}}\n" for key in keys_of(model))
    return re.sub(r" *# OPENAI_API_KEY:[^\n]*\n", lambda _: keys, recipe)
