"""A command reports here what went wrong, and ends with an exit code."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

BAD_INPUT = 2
_OF_LOCAL = {"torch", "transformers", "peft", "bert_score", "gguf", "safetensors"}


@contextmanager
def reported_errors() -> Iterator[None]:
    """Print an error that the user can mend as one message on stderr, any other with its traceback; exit with code 2.

    The code is never 1, which would say that a regression was measured.
    """
    from raft.errors import RaftError

    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except RaftError as error:
        typer.echo(f"error: {error}", err=True)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_LOCAL:
            traceback.print_exc()
        else:
            typer.echo(
                f"error: the embedded models need {error.name}; install them from RATF's folder: pip install 'FOLDER[local]'",
                err=True,
            )
    except Exception:
        traceback.print_exc()
    else:
        return
    raise typer.Exit(BAD_INPUT) from None
