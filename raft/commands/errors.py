"""What a command says when something goes wrong, and the code that it ends with."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

BAD_INPUT = 2
_OF_LOCAL = {"torch", "transformers", "peft", "bert_score", "gguf", "safetensors"}


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn what the user can mend into one message on stderr; whatever goes wrong ends with exit code 2.

    Never with 1, which would say that a regression was measured.
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
