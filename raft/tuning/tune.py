"""A model is tuned for a person on the data of `raft ft:gen`: by LoRA on this machine, or by a job of OpenAI."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from raft.errors import DataError, RaftError
from raft.formats.json_file import read_json
from raft.models.names import CHAT
from raft.models.tokens import token_counter
from raft.models.weights import model_folder
from raft.people.folders import work_of
from raft.people.person import Person, load_about, person_folder
from raft.progress import Progress, silent
from raft.tuning.datasets import Wanted, make_openai, make_records, openai_is_current
from raft.tuning.jobs import Tuning, keep, locked, state_file
from raft.tuning.openai_tuner import OpenAISettings, OpenAITuner
from raft.tuning.records import read_records, samples, size
from raft.tuning.tuners import tuner_kind

LOCAL_CONTEXT = 1024
OPENAI_CONTEXT = 4096
Say = Callable[[str], None]


def tune(
    person: Person | str | Path,
    base: str = CHAT,
    *,
    epochs: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    rank: int = 16,
    layers: int | None = None,
    patience: int = 3,
    context: int = LOCAL_CONTEXT,
    max_words: int = 120,
    seed: int = 0,
    price_per_million: float | None = None,
    make_data: bool = True,
    dry_run: bool = False,
    say: Say = lambda text: None,
    progress: Progress = silent,
) -> str | None:
    """Tune `base` to answer as the person and return the tuned model's name, which `ask` then takes by default.

    `base` is `local/<embedded model or a model's folder>`, tuned on this machine by LoRA, or `openai/<model>`, tuned by
    a job that costs money. `rank`, `layers`, `patience`, `context` (tokens of a sample) and `max_words` (of an answer)
    apply to the first alone, `price_per_million` (US$ a million tokens, for the estimate) to the second alone. Settings
    of None are left to the tuner; OpenAI's `learning_rate` is a multiplier. The model learns from the person's
    `work/finetune.jsonl`, which is made with the defaults of `raft ft:gen` where it is missing and `make_data` is set.
    With `dry_run` the data are checked, `say` is called with their size and, for OpenAI, the cost, and None is
    returned. The same data and settings are never tuned twice.

    Raises DataError for what is wrong with the person's data, also where they are missing and `make_data` is not set,
    and RaftError for settings or models that cannot be used.
    """
    folder = person_folder(person)
    tuner_kind(base)
    if make_data and not (work_of(folder) / "finetune.jsonl").is_file():
        make_records(folder, "finetune", Wanted(), say, progress)
        make_openai(folder, "finetune", OPENAI_CONTEXT, say)
    provider, _, name = base.partition("/")
    if provider == "openai":
        given = {"epochs": epochs, "batch": batch, "learning_rate_multiplier": learning_rate, "seed": seed}
        return tune_openai(folder, name, given, price_per_million, dry_run, say)
    settings = {"epochs": epochs, "batch": batch, "learning_rate": learning_rate, "layers": layers}
    settings |= {"rank": rank, "alpha": 2 * rank, "patience": patience, "seed": seed}
    known = {key: value for key, value in settings.items() if value is not None}
    return tune_samples(folder, base, known, context, max_words, dry_run, say, progress)


def tune_samples(
    folder: Path,
    model: str,
    settings: dict[str, Any],
    context: int,
    max_words: int,
    dry_run: bool = False,
    say: Say = lambda text: None,
    progress: Progress = silent,
) -> str | None:
    """Tune `model` on the folder's `work/finetune.jsonl` by its provider's tuner, and return the tuned model's name.

    `settings` are the tuner's, by name. After a dry run None is returned. Raises DataError where the file is missing or
    broken, and RaftError where the model reads fewer than `context` tokens, or no sample fits into them.
    """
    kind, (provider, _, base) = tuner_kind(model), model.partition("/")
    if provider == "local":
        about_model = read_json(model_folder(base, progress) / "config.json")
        if context > (longest := about_model.get("max_position_embeddings", context)):
            raise RaftError(f"--context {context}: {base} reads at most {longest} tokens")
    about, records, count = load_about(folder), read_records(work_of(folder) / "finetune.jsonl"), token_counter(base)
    parts = {}
    for part in ("training", "validation"):
        chosen = [r for r in records if r.split == part]
        parts[part], too_long = samples(about, chosen, records, context, max_words, count)
        tokens = sum(size(s.prompt, count) + count(s.answer) for s in parts[part])
        left_out = f"; {len(too_long)} do not fit into {context}: {', '.join(too_long)}" if too_long else ""
        say(f"{part}: {len(parts[part])} samples, {tokens} tokens{left_out}")
    if not parts["training"]:
        raise RaftError(f"{work_of(folder) / 'finetune.jsonl'} has no training sample that fits")
    if dry_run:
        return None
    with locked(state_file(folder)):
        tuned = kind.make(settings, state_file(folder), progress).tune(parts["training"], base, parts["validation"])
        keep(state_file(folder), Tuning(model, tuned.rpartition("+")[2], f"{provider}/{tuned}"))
    return f"{provider}/{tuned}"


def tune_openai(
    folder: Path, base: str, given: dict[str, Any], price: float | None, dry_run: bool, say: Say
) -> str | None:
    """Have OpenAI tune `base` on the folder's `work/finetune.openai.jsonl`, and return the tuned model's name.

    `given` are the fields of `OpenAISettings`, `price` is in US$ per million tokens. After a dry run None is returned.
    Raises DataError where the file is missing or breaks a rule, and RaftError where it is older than its records or the
    job fails.
    """
    training = work_of(folder) / "finetune.openai.jsonl"
    validation = work_of(folder) / "finetune.openai.validation.jsonl"
    if not training.is_file():
        raise DataError([f"{training}: missing; `raft ft:gen {folder}` makes it"])
    if not openai_is_current(folder):
        raise RaftError(f"{training} is older than what it is made from; run `raft ft:gen {folder} --oai` first")
    files = training.read_bytes(), validation.read_bytes() if validation.is_file() else b""
    names = str(training), str(validation)
    tuner = OpenAITuner(OpenAISettings(**given), state_file(folder), say, price=price)
    if dry_run:
        tuner.checked(*files, base, names)
        return None
    with locked(state_file(folder)):
        return f"openai/{tuner.tune_files(*files, base, names)}"
