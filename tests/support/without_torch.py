"""The commands as the core of RATF has them, without the extra `local`: none of its packages can be imported."""

import os
import subprocess
import sys
from pathlib import Path

from ratf.models.known import LOCAL

BLOCKED = f"""\
import sys
from importlib.machinery import PathFinder


class Core(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {LOCAL!r} else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Core
"""


def core(folder: Path, module: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m module` in `folder` without the packages of the extra; keyword arguments are environment variables."""
    aside = folder / ".without-torch"
    aside.mkdir(exist_ok=True)
    (aside / "sitecustomize.py").write_text(BLOCKED, "utf-8")
    paths = os.pathsep.join([str(aside), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
    )
