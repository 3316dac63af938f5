"""The options of the commands that write pages for others."""

from pathlib import Path
from typing import Annotated

import typer

Redact = Annotated[
    bool, typer.Option("--redact", help="Leave out the words of the persons and of others, and the memories.")
]
Public = Annotated[
    bool, typer.Option("--public", help="Write only where licence and consent of the words shown are stated.")
]
Data = Annotated[
    Path | None, typer.Option(help="With --public: the folder with the people's folders, to read it there.")
]
