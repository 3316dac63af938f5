"""The worth of a memory is measured afterwards, by how much likelier it makes the real answer.

The gain is g = log p(answer | question, memory) - log p(answer | question), in nats a token, for a fixed local reader.
What is useful to one reader need not be to another (arXiv 2510.11358). The gain never decides what is recalled, because
it is computed from the real answer.
"""

import random
import sys
from collections.abc import Sequence

from raft.models.likelihood import log_likelihoods
from raft.models.local import LocalModel
from raft.people.person import About
from raft.progress import Progress, silent
from raft.prompts import conversation
from raft.text import shorten
from raft.types import Exchange, Memory, Message

Pair = tuple[Exchange, Memory]


def gains(
    reader: LocalModel, about: About, pairs: Sequence[Pair], answer_words: int, progress: Progress = silent
) -> list[float]:
    """Return the gain of each pair's memory, shown alone, for the real answer to its exchange, in nats a token.

    Prompts are those that agents read, without history; answers are cut to `answer_words` words, as in training.
    """
    asked = list({e.exchange_id: e for e, _ in pairs}.values())
    prompts = [_prompt(about, e, []) for e in asked] + [_prompt(about, e, [m]) for e, m in pairs]
    answers = [shorten(e.answer, answer_words) for e in [*asked, *(e for e, _ in pairs)]]
    found = log_likelihoods(reader, prompts, answers, progress)
    without = {e.exchange_id: value for e, value in zip(asked, found, strict=False)}
    return [value - without[e.exchange_id] for (e, _), value in zip(pairs, found[len(asked) :], strict=True)]


def shuffled(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """Return the pairs with each memory replaced by one that is drawn at random from all pairs, as a control.

    A memory of a passage that the exchange itself recalled is never drawn. A pair for which no other memory is left is
    dropped. The same `seed` draws the same memories.
    """
    lots = random.Random(seed)
    own: dict[str, set[str]] = {}
    for exchange, memory in pairs:
        own.setdefault(exchange.exchange_id, set()).add(memory.chunk_id)
    drawn = []
    for exchange, _ in pairs:
        others = [m for _, m in pairs if m.chunk_id not in own[exchange.exchange_id]]
        if others:
            drawn.append((exchange, lots.choice(others)))
    return drawn


def _prompt(about: About, exchange: Exchange, memories: Sequence[Memory]) -> tuple[Message, ...]:
    return conversation(about, exchange.question, memories, [], sys.maxsize, len)
