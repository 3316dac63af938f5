"""Training samples are made from exchanges: a prompt with the question and its memories, and the person's answer."""

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
    """Return one sample for each exchange; with no `memories`, samples of plain questions and answers.

    `before` and `memories` have the earlier exchanges and the memories of each exchange, by its id. `budget` is the
    greatest size of a prompt in tokens as `count` counts them. Answers, also those of earlier exchanges, are cut to the
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
    """Return the samples as JSON, one object a line, with the keys exchange_id, prompt (its messages) and answer."""
    return "".join(
        json.dumps({"exchange_id": s.exchange_id, "prompt": s.prompt, "answer": s.answer}, ensure_ascii=False) + "\n"
        for s in samples
    )
