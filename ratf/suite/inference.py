"""A model of natural language inference in a user's folder: whether it is one, and what its outputs mean."""

import json
from collections.abc import Mapping
from pathlib import Path

from raft.errors import RaftError


def labels(names: Mapping[int, str], where: str) -> tuple[int, int | None]:
    """Which outputs are entailment and contradiction, by the names in a model's config (`id2label`).

    A model of two labels, entailment and something that is not, has no contradiction: None. Raises RaftError where the
    names leave it unclear: a wrong order would turn every verdict round.
    """
    small = {i: name.casefold().replace("-", "_").replace(" ", "_") for i, name in names.items()}
    yes = [i for i, name in small.items() if name in ("entailment", "entail", "entails", "entailed")]
    against = [i for i, name in small.items() if name.startswith("contradict")]
    neither = [
        i for i, name in small.items() if name in ("neutral", "not_entailment", "no_entailment", "non_entailment")
    ]
    known = len(yes) == 1 and len(against) <= 1 and len(yes) + len(against) + len(neither) == len(small) > 1
    if not known or (len(small) > 2 and not against):
        raise RaftError(
            f"{where}: its labels are {', '.join(names[i] for i in sorted(names))}; which of them says that a sentence "
            "follows is unclear.\nA model of inference names them entailment, neutral and contradiction (or entailment and "
            "not_entailment) as id2label in its config.json; if you know the order it was trained with, write it there."
        )
    return yes[0], against[0] if against else None


def read_inference(name: str) -> tuple[Path, int, int | None]:
    """The folder that `local/FOLDER` names, and which outputs of its model are entailment and contradiction.

    Only its config.json is read. Raises RaftError where there is no model, where it classifies nothing, and where its
    labels are unclear.
    """
    from raft.models.weights import model_folder

    provider, _, place = name.partition("/")
    if provider != "local" or not place:
        raise RaftError(f"models.nli: {name!r} is not a model; write local/FOLDER, a folder with a model of inference")
    # a folder without a slash of its own is no embedded model here
    folder = model_folder(place if "/" in place else f"./{place}")
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        kinds = [str(kind) for kind in config.get("architectures") or []]
        names = {int(i): str(label) for i, label in (config.get("id2label") or {}).items()}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        raise RaftError(f"{name}: its config.json is not that of a model") from None
    if not any(kind.endswith("ForSequenceClassification") for kind in kinds):
        raise RaftError(
            f"{name}: config.json says that it is {', '.join(kinds) or 'no model of any kind'}; a model of inference is a "
            "sequence classifier of transformers (…ForSequenceClassification)"
        )
    return folder, *labels(names or {0: "LABEL_0", 1: "LABEL_1"}, name)
