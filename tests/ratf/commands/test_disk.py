"""A full disk, a folder that may not be written, a pipe that nobody reads: one sentence, and the right exit code."""

import errno
import logging
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from planted import make
from typer.testing import CliRunner

from raft.commands.errors import reported_errors
from raft.files import write_whole
from ratf.results.results import save


def ended(program: str) -> "subprocess.CompletedProcess[str]":
    """The program in a command's context, with its output in a pipe whose other end is closed."""
    whole = "import typer\nfrom raft.commands.errors import reported_errors\n" + program
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run([sys.executable, "-c", whole], stdout=writer, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writer)


@pytest.mark.parametrize("code", [0, 1, 2])
@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_broken_pipe_keeps_the_exit_code(code: int, lines: int) -> None:
    done = ended(
        "import sys\n"
        "try:\n"
        "    with reported_errors():\n"
        f"        [typer.echo('a line') for _ in range({lines})]\n"
        f"        raise typer.Exit({code})\n"
        "except typer.Exit as end: sys.exit(end.exit_code)\n"
    )
    assert (done.returncode, done.stderr) == (code, "")


def a_run(folder: Path) -> Path:
    made = make({"raft": {"rouge_l": [0.5, 0.6]}, "baseline": {"rouge_l": [0.4, 0.3]}}, ["i", "j"])
    save(made, folder / "results.json")
    return folder


def test_check_keeps_its_verdict_where_nobody_reads_and_nothing_can_be_written(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (run / "check.json").mkdir()  # whoever runs the tests: this cannot be written
    command = [sys.executable, "-m", "ratf.cli", "check", str(run)]
    read = subprocess.run(command, capture_output=True, text=True)
    assert read.stdout.partition(":")[0] in ("PASS", "REGRESSION", "INCONCLUSIVE", "NOT MEASURED")
    assert read.stderr.startswith("note: check.json could not be written: ") and read.stderr.count("\n") == 1
    unread = subprocess.run(
        f"{' '.join(command)} 2>/dev/null | true; exit ${{PIPESTATUS[0]}}", shell=True, executable="/bin/bash"
    )
    assert unread.returncode == read.returncode


def test_a_warning_is_told_whatever_level_an_evaluation_gave_the_root_logger(
    capsys: pytest.CaptureFixture[str], warned: None
) -> None:
    logging.getLogger().setLevel(logging.ERROR)
    with reported_errors():
        logging.getLogger("raft.files").warning("a.json: damaged; set aside")
    assert capsys.readouterr().err == "note: a.json: damaged; set aside\n"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "a.json: no space left on device; make room there"),
        (errno.EFBIG, "a.json: file too large; make room there"),
        (errno.EROFS, "a.json: read-only file system; it must be allowed"),
        (errno.EACCES, "a.json: permission denied; it must be allowed"),
        (errno.EISDIR, "a.json: is a directory; a file belongs there"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_trouble_with_the_disk_is_one_sentence(number: int, says: str, inside: bool) -> None:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        with reported_errors():
            trouble = OSError(number, os.strerror(number), "a.json")
            if not inside:
                raise trouble
            raise ExceptionGroup("of a library", [ValueError("x"), RuntimeError("y")]) from trouble

    done = CliRunner().invoke(app)
    assert done.exit_code == 2 and done.stderr.startswith(f"error: {says}") and done.stderr.count("\n") == 1


def test_a_fault_of_our_own_is_still_told_with_its_traceback() -> None:
    app = typer.Typer()

    @app.command()
    def command() -> None:
        with reported_errors():
            raise ValueError("of ours")

    done = CliRunner().invoke(app)
    assert done.exit_code == 2 and "Traceback" in done.stderr


def test_logs_of_libraries_that_cannot_be_written_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    log, trace = logging.getLogger("of-a-library"), logging.FileHandler(full)
    log.addHandler(trace)
    with reported_errors():
        log.warning("what it thinks of a request")
    told, before = capsys.readouterr().err, logging.raiseExceptions
    log.removeHandler(trace)
    with suppress(OSError):
        trace.close()
    assert told == "" and before


def test_a_file_may_only_grow_so_far(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom raft.files import write_whole\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "import typer\nfrom raft.commands.errors import reported_errors\n"
        "try:\n    with reported_errors(): write_whole(Path(sys.argv[1]), 'x' * 100_000)\n"
        "except typer.Exit as end: sys.exit(end.exit_code)\n"
    )
    write_whole(tmp_path / "a.txt", "old")
    command = [sys.executable, "-c", program, str(tmp_path / "a.txt")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "file too large; make room there" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "a.txt").read_text() == "old"
