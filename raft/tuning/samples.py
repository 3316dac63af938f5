"""Training samples: what was asked and remembered, and what the person answered."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from raft.people.person import About
from raft.prompts import conversation, earlier_exchanges
from raft.text import shorten
from raft.types import Exchange, Memory, TrainingSample


def training_samples(
    about: About,
    exchanges: Sequence[Exchange],
    before: Mapping[str, Sequence[Exchange]],
    memories: Mapping[str, Sequence[Memory]],
    budget: int,
    answer_words: int,
    count: Callable[[str], int],
) -> list[TrainingSample]:
    """One sample an exchange; with no `memories`, samples of plain questions and answers.

    `budget` is the prompt's size in tokens as `count` counts them. Answers, the earlier ones too, are cut to the
    last sentence that ends within `answer_words` words, because the agent's own answers have a limit as well.
    """
    return [
        TrainingSample(
            exchange_id=e.exchange_id,
            prompt=conversation(
                about,
                e.question,
                memories.get(e.exchange_id, ()),
                earlier_exchanges(before[e.exchange_id], memories, answer_words),
                budget,
                count,
            ),
            answer=shorten(e.answer, answer_words),
        )
        for e in exchanges
    ]


def to_jsonl(samples: Iterable[TrainingSample]) -> str:
    """One JSON object a line: exchange_id, prompt (messages), answer."""
    return "".join(
        json.dumps({"exchange_id": s.exchange_id, "prompt": s.prompt, "answer": s.answer}, ensure_ascii=False) + "\n"
        for s in samples
    )
