"""How much faster are answers in batches than one at a time? Same model, same prompts, same settings (`make bench`)."""

import time
from pathlib import Path

from raft.models.local import LocalModel
from raft.models.sampling import Sampling
from raft.people.person import load_person
from raft.prompts import conversation

QUESTIONS = 48
ONE_AT_A_TIME = 8
SAMPLING = Sampling(max_tokens=96, temperature=0.7, top_p=0.9, frequency_penalty=0.3, seed=0)


def main() -> None:
    """Print both rates, in generated tokens a second, and their ratio."""
    person = load_person(Path(__file__).parent / "marrack")
    model = LocalModel("smollm2-135m-instruct")
    prompts = [conversation(person.about, e.question, [], [], 512, model.count_tokens) for e in person.exchanges]
    prompts = prompts[:QUESTIONS]
    model.generate(prompts[:2], [SAMPLING] * 2)

    start = time.monotonic()
    singles = [model.generate([p], [SAMPLING])[0] for p in prompts[:: QUESTIONS // ONE_AT_A_TIME]]
    single = sum(a.output_tokens for a in singles) / (time.monotonic() - start)

    start = time.monotonic()
    answers = model.generate(prompts, [SAMPLING] * len(prompts))
    batched = sum(a.output_tokens for a in answers) / (time.monotonic() - start)
    print(f"one at a time {single:.1f} tokens/s, in batches {batched:.1f} tokens/s: {batched / single:.1f} times")


if __name__ == "__main__":
    main()
