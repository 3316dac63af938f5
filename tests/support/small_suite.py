"""A suite on planted models and a bag of words for an embedder: a whole run without any weights."""

from pathlib import Path
from zlib import crc32

import planted_judges as planted
from planted_judges import demo

from ratf.suite.study import Study

TOKENS = 101
"""Of every planted reply, in and out."""


def characters(tmp_path: Path) -> None:
    """`planted/agent` never says the same twice, nor with another seed, and repeats the person where it remembers something."""
    study = demo(tmp_path, split={"held_out_interviews": 6})
    own = [e.answer for e in study.person.exchanges]
    planted.CHARACTERS.update(
        # the seed stands in front, where no judge cuts it
        agent=lambda seen: (
            f"{f'Take {seen.seed}. ' if seen.seed else ''}{own[0] if 'You remember' in seen.prompt else ''} "
            f"Number {crc32(seen.prompt.encode())}."
        ),
        perfect=planted.perfect(own, study),
        coin=planted.coin(),
        first=planted.always_first,
    )


def small(tmp_path: Path, out: str = "run", grader: str = "planted/perfect", **more: object) -> Study:
    """Two arms, three controls, a judge; the fixture `hosted` embeds."""
    settings = {
        "metrics": ["rouge_l", "judge_stance"],
        "models": {"base": "planted/agent", "grader": grader, "embedder": "openai/words"},
        "arms": ["baseline", "rag_only"],
        "controls": ["real", "same_near", "impostor_near"],
        "split": {"held_out_interviews": 6, "questions": 18},
        "memories": {"k": 1, "gate": -1},
        "primary": {"metric": "judge_stance", "better": "rag_only", "than": "baseline"},
    }
    study = demo(tmp_path, **{**settings, **more})
    study.folder = tmp_path / out
    return study
