"""The options of the commands that write pages for others."""

from pathlib import Path
from typing import Annotated

import typer

Redact = Annotated[
    bool, typer.Option("--redact", help="Leave out the words of the person and of other people, and the memories.")
]
Public = Annotated[
    bool, typer.Option("--public", help="Write only if a licence and consent are stated for all words shown.")
]
Data = Annotated[
    Path | None, typer.Option(help="With --public: the folder of the people's folders, where they are stated.")
]
