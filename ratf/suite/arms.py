"""The arm table: what each agent was trained on, and what it remembers when asked."""

from dataclasses import dataclass
from typing import Literal

TrainingKind = Literal["none", "ft", "ft+mem"]
"""`ft`: tuned on questions and answers; `ft+mem`: with the memories between them."""


Shown = Literal["none", "own", "shuffled", "impostor"]
"""The memories that stand in the prompt: the person's for this question, those for another question, or somebody else's."""


@dataclass(frozen=True)
class Arm:
    """A recipe: one cell of the crossing of trainings and memories."""

    training: TrainingKind
    memories: Shown
    words: str

    @property
    def recalls(self) -> bool:
        """Whether the person's own memories are needed, to learn with or to be shown."""
        return self.training == "ft+mem" or self.memories in ("own", "shuffled")


ARMS = {
    "baseline": Arm("none", "none", "the bare model, told who it is"),
    "rag_only": Arm("none", "own", "the bare model with the person's memories"),
    "finetune_only": Arm("ft", "none", "fine-tuned on questions and answers"),
    "raft": Arm("ft+mem", "own", "fine-tuned with memories, and asked with them"),
    "rag_shuffled": Arm("none", "shuffled", "the bare model with the memories of another question"),
    "rag_impostor": Arm("none", "impostor", "the bare model with another person's memories"),
    "finetune_own": Arm("ft", "own", "fine-tuned on questions and answers, asked with the person's memories"),
    "finetune_shuffled": Arm("ft", "shuffled", "fine-tuned on questions and answers, asked with another question's memories"),
    "finetune_impostor": Arm("ft", "impostor", "fine-tuned on questions and answers, asked with another person's memories"),
    "raft_none": Arm("ft+mem", "none", "fine-tuned with memories, and asked without"),
    "raft_shuffled": Arm("ft+mem", "shuffled", "fine-tuned with memories, and asked with another question's"),
    "raft_impostor": Arm("ft+mem", "impostor", "fine-tuned with memories, and asked with another person's"),
}  # fmt: skip
r"""Every training with every kind of memories. A name is a word (`\w+`), so that a policy's rules can say it."""


NAMED = ["baseline", "rag_only", "finetune_only", "raft"]
"""The arms of a suite that names none."""


@dataclass(frozen=True)
class Control:
    """A rung of the ladder: answers that are given, so that every score has something to be read against."""

    words: str
    theirs: bool = True
    """Whether these are words of the person or of somebody else, which a redacted page leaves out."""
    written: bool = False
    """Whether a model has to write it."""
    says_nothing: bool = False
    """Whether every metric that sits an exam must put it under the person's own answers."""


CONTROLS = {
    "real": Control("the real answer"),
    "paraphrase": Control("the real answer in a chat model's words", written=True),
    "same_near": Control("the person's own earlier answer to the nearest question"),
    "same_far": Control("the person's own earlier answer to an unrelated question"),
    "impostor_near": Control("another person's real answer to the nearest question"),
    "impostor_far": Control("another person's real answer to an unrelated question"),
    "stranger_near": Control("the real answer of a stranger, who is no impostor, to the nearest question"),
    "generic": Control("the bare model, not told who it is", theirs=False, written=True),
    "boilerplate": Control("a polite sentence or two, fit for any question", theirs=False, says_nothing=True),
    "nonanswer": Control("a long and fluent answer that says nothing", theirs=False, says_nothing=True),
    "yes": Control("a yes to everything", theirs=False, says_nothing=True),
    "dont_know": Control("an “I don't know” to everything", theirs=False, says_nothing=True),
    "echo": Control("the question, repeated", theirs=False, says_nothing=True),
    "parrot": Control("one earlier answer of the person, given to every question", says_nothing=True),
    "commonplaces": Control(
        "eight earlier sentences of the person that cover most of the other answers, given to every question",
        says_nothing=True,
    ),
    "babble": Control("chains of word pairs from the person's earlier answers", says_nothing=True),
    "evidence_words": Control(
        "words that are typical of the person, chosen at random", theirs=False, says_nothing=True
    ),
    "salted": Control("another person's answer with words that are typical of the person mixed in", says_nothing=True),
    "empty": Control("no answer at all", theirs=False),
}
"""The ladder: answers that every metric must be able to put in order. `ratf/agents/given/controls.py` finds those that are given."""


WRITTEN = tuple(name for name, control in CONTROLS.items() if control.written)
"""Controls that a model has to write: not among those of a suite that names none, but for a paraphrase where one is bound."""


STRANGER = "stranger_near"
"""The control that needs strangers: there where a suite names some."""


SAYS_NOTHING = tuple(name for name, control in CONTROLS.items() if control.says_nothing)
"""Controls that no metric may mistake for the person."""


OFF_TOPIC = tuple(name for name in SAYS_NOTHING if name != "echo")
"""Those of them that do not speak of what was asked. A question that is repeated does, and says nothing about it."""


DOSES = {"mix_25": 0.25, "mix_50": 0.50, "mix_75": 0.75}
"""The real answer with that share of another person's words: only for the exam."""


PARTS = (
    "reworded",
    "half_reworded",
    "own_topic",
    "claims_0",
    "claims_25",
    "claims_50",
    "claims_75",
    "claims_100",
)
"""Made of the real answer by rule (`ratf/edits/made.py`): only for the exams on topic and coverage."""


DIRECTION, FACTS = ("polarity", "antonym"), ("number", "name", "date", "fact")
"""The kinds of edits that turn what is claimed, and those that change the facts in it."""


def turned(*kinds: str) -> tuple[str, ...]:
    """The real answer with its meaning turned by each kind of edit, and reworded with as many words changed."""
    return tuple(f"{how}_{kind}" for kind in kinds for how in ("edit", "even"))


MADE = (*PARTS, *turned(*DIRECTION, *FACTS))
"""Everything that is made of the real answer by rule; the turned copies only for the exams on agreement and facts."""


EXAM_ONLY = (*DOSES, *MADE)
"""What is no control of the suite: no judge reads it, and no table has it."""


GIVEN = [*(name for name in CONTROLS if name not in WRITTEN), *EXAM_ONLY]
"""Everything that is looked up rather than generated."""


FLOOR, CEILING = "impostor_near", "same_near"
CONTRASTS = [
    ("raft", "baseline"),
    ("raft", "rag_only"),
    ("raft", "finetune_only"),
    ("rag_only", "baseline"),
    ("finetune_only", "baseline"),
    ("finetune_only", "rag_only"),
]
"""Pairs of arms that are compared, the one that should be ahead first."""
