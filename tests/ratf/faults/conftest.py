from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty import KEY, Faulty
from hosted import Hosted
from small_suite import small

from ratf.suite.study import Study


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """The service behind `openai-api/faulty/agent`."""
    with Faulty().running() as service:
        monkeypatch.setenv("FAULTY_BASE_URL", service.url)
        monkeypatch.setenv("FAULTY_API_KEY", KEY)
        yield service


@pytest.fixture
def study(tmp_path: Path, cache: Path, hosted: Hosted, faulty: Faulty, monkeypatch: pytest.MonkeyPatch) -> Study:
    """Two arms that the service answers, 12 questions each; what only exams read is left out, to be quick."""
    for module in ("ratf.runner.phases", "ratf.scores.logs"):
        monkeypatch.setattr(f"{module}.everybody", lambda study: [*study.suite.all_arms, *study.suite.controls])
    return small(
        tmp_path,
        contamination=False,
        metrics=["rouge_l"],
        models={"base": f"openai-api/faulty/agent-{faulty.url[17:22]}", "grader": None, "embedder": "openai/words"},
        split={"held_out_interviews": 6, "questions": 12},
        primary={"metric": "rouge_l", "better": "rag_only", "than": "baseline"},
    )
