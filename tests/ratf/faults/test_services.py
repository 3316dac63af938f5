"""Services that are dead, slow or silent about tokens: shown, bounded, counted."""

import time
import zipfile
from pathlib import Path

import pytest
from faulty import KEY, Faulty, failed, fine, holds, said
from hosted import Hosted
from inspect_ai.model import get_model

from raft.progress import silent
from ratf.models.budget import NO_LIMITS, GaveUp, Limits, OverBudget
from ratf.models.prices import NO_PRICES
from ratf.results.folder import open_run, set_damaged_logs_aside
from ratf.results.results import STOPPED
from ratf.runner.run import carry_out
from ratf.suite.study import Study, logs_folder

pytestmark = pytest.mark.slow


def run(study: Study, told: list[str], give_up_after: float, limits: Limits = NO_LIMITS) -> float:
    """The seconds until it stops."""
    began = time.monotonic()
    carry_out(study, silent, True, False, limits, NO_PRICES, told.append, give_up_after)
    return time.monotonic() - began


@pytest.mark.parametrize("status", [429, 500])
def test_a_dead_service_is_told_and_given_up(study: Study, faulty: Faulty, status: int) -> None:
    faulty.act = lambda prompt: failed(status, "come back later")
    told: list[str] = []
    began = time.monotonic()
    with pytest.raises(GaveUp, match=rf"gave up after 0\.05 minutes without one reply.*{status}.*come back later"):
        run(study, told, give_up_after=0.05)
    assert time.monotonic() - began < 90 and (study.folder / STOPPED).is_file()
    assert told and study.suite.models.base in told[0] and f"{status} come back later; try 1 failed" in told[0]
    assert "the next is in" in told[0] and "gives up after 0.05 minutes" in told[0]
    faulty.act = fine
    asked = len(faulty.asked)
    run(study, told, give_up_after=5)
    assert len(faulty.asked) - asked == 24 and not any(arm.errors for arm in open_run(study.folder).arms.values())


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"id": "1", "choices": [', "the service's reply is no JSON: Expecting value"),
        ({"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": []}, "holds no message"),
    ],
)
def test_what_is_no_reply_is_an_error_and_is_asked_again(
    study: Study, faulty: Faulty, body: bytes | dict[str, object], says: str
) -> None:
    faulty.act = lambda prompt: (200, body, {})
    run(study, [], give_up_after=5)
    assert all(says in told for told in open_run(study.folder).arms["rag_only"].kinds_of_errors)
    assert [arm.errors for arm in open_run(study.folder).arms.values()].count(12) == 2
    faulty.act, asked = fine, len(faulty.asked)
    run(study, [], give_up_after=5)
    assert len(faulty.asked) - asked == 24 and not any(arm.errors for arm in open_run(study.folder).arms.values())


def test_a_service_that_takes_requests_and_never_replies_is_given_up(study: Study, faulty: Faulty) -> None:
    faulty.act = lambda prompt: (time.sleep(20), fine(prompt))[1]
    with pytest.raises(GaveUp, match="it took the request and did not reply"):
        run(study, [], give_up_after=0.05)


def test_no_budget_is_passed_by_waiting(study: Study, faulty: Faulty) -> None:
    faulty.act = lambda prompt: failed(429, "come back later")
    began = time.monotonic()
    with pytest.raises(OverBudget, match="minutes spent"):
        run(study, [], give_up_after=30, limits=Limits(minutes=0.2))
    assert faulty.asked and time.monotonic() - began < 57


def test_replies_without_usage_count_by_an_estimate_that_is_called_one(study: Study, faulty: Faulty) -> None:
    faulty.act = lambda prompt: said("word " * 25, usage=None)
    run(study, [], give_up_after=1)
    spent = open_run(study.folder).budget
    assert spent and spent.roles["answers"].calls == 24 == spent.estimated
    assert spent.roles["answers"].tokens > 24 * 100, "its prompts and its 31 tokens"
    assert "Tokens estimated" in (study.folder / "report.html").read_text("utf-8")


def test_a_key_that_a_service_repeats_is_in_no_file(
    study: Study, faulty: Faulty, hosted: Hosted, cache: Path, tmp_path: Path
) -> None:
    """In answers, in errors that end a sample, in errors that are retried, and in fields that nobody knows."""
    count = [0]

    def act(prompt: str) -> object:
        count[0] += 1
        if count[0] % 6 == 0:
            return failed(400, f"bad key {KEY}")
        if count[0] % 6 == 1:
            return failed(429, f"too much of {KEY}")
        return said(f"My key is {KEY}, and number {count[0]} of the many that I was given.", hint=f"Bearer {KEY}")

    faulty.act = act  # type: ignore[assignment]
    run(study, told := [], give_up_after=5)
    held = [path for path in tmp_path.rglob("*") if path.is_file() and holds(path, KEY.encode())]
    assert held == [] and not any(KEY in line for line in told)
    texts = [a.text for q in open_run(study.folder).questions for a in q.answers.values()]
    assert any("My key is (a key), and" in text for text in texts)
    assert study.folder.stat().st_mode & 0o777 == 0o700
    set_damaged_logs_aside(logs_folder(study))
    assert not list(tmp_path.rglob("*.damaged")), "every log is whole"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93])
@pytest.mark.parametrize("way", ["whole", "listed no more", "without its list", "damaged before"])
def test_a_key_is_found_in_every_part_of_an_archive(tmp_path: Path, method: int, way: str) -> None:
    import zipfile_zstd  # noqa: F401 (teaches zipfile the method 93, as Inspect does)

    path, noise = tmp_path / "a.eval", "".join(f"{n * n} " for n in range(4000))
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("first", noise)
        archive.writestr("second", f"{noise}{KEY}{noise}")
    assert holds(path, KEY.encode()) and not holds(path, b"sk-of-somebody-else")
    with zipfile.ZipFile(path, "a", method) as archive:
        if way == "listed no more":
            del archive.NameToInfo["second"], archive.filelist[1]
            archive.writestr("third", noise)
    content = bytearray(path.read_bytes())
    if way == "without its list":
        del content[content.index(b"PK\x01\x02") :]
    if way == "damaged before":
        content[200] ^= 1
    path.write_bytes(bytes(content))
    assert holds(path, KEY.encode())


def test_a_model_is_made_ready_once(faulty: Faulty) -> None:
    from ratf.models.service import ready

    name = f"openai-api/faulty/once-{faulty.url[17:22]}"
    before = ready(name).api.generate
    assert ready(name).api.generate is before is get_model(name).api.generate
