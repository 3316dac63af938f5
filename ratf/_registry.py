"""The entries that Inspect finds as `ratf/…`: the task files, the `local` provider, the metrics as scorers."""

import importlib.util
import sys
from types import ModuleType

from inspect_ai.model import ModelAPI, modelapi

from ratf.content import content
from ratf.scores.named import register


@modelapi(name="local")
def local() -> type[ModelAPI]:
    """The provider of embedded models; torch is imported only when one is made."""
    from ratf.models.local import LocalAPI

    return LocalAPI


def _load_task_file(name: str) -> ModuleType:
    """Run a file of `tasks/` as a module of this package, so that its tasks are called `ratf/…`."""
    full_name = f"ratf.tasks_{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(full_name, content("tasks", f"{name}.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full_name] = module
        spec.loader.exec_module(module)
    return sys.modules[full_name]


interview = _load_task_file("interview").interview
register()
