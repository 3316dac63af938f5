"""The names of models that a vLLM server answers for: `vllm/<embedded model or folder>`, with an adapter after `+`."""

from pathlib import Path

VLLM = "vllm/"
_PATHS = ("/", "./", "../", "~")


def as_local(name: str) -> str:
    """The name `local/…` of the weights that vLLM serves from this machine; any other name as it is.

    `vllm/<model>` and `vllm/<model>+<adapter>` are served from this machine where the model is an embedded one or a
    folder. Other names of that provider, such as a model hub's, are Inspect's own.
    """
    from raft.models.weights import PINNED

    model = name.removeprefix(VLLM)
    base = model.partition("+")[0]
    here = base in PINNED or base.startswith(_PATHS) or ("/" in base and (Path(base) / "config.json").is_file())
    return f"local/{model}" if model != name and here else name


def is_served(name: str) -> bool:
    """Whether a vLLM server answers for the model with weights, and perhaps an adapter, of this machine."""
    return as_local(name) != name


def by_vllm(base: str) -> str:
    """The name with which vLLM serves a base model. Raises ValueError for a model with its weights elsewhere."""
    if base.startswith("local/"):
        return VLLM + base.removeprefix("local/")
    if base.startswith(VLLM):
        return base
    raise ValueError(
        f"serve: vllm needs a base with its weights on this machine, as local/…; {base} is answered elsewhere"
    )
