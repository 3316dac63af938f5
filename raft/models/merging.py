"""An adapter's weights are added to those of its base, once, for a server that is to answer many questions with them."""

import shutil
import tempfile
from pathlib import Path

from raft.models.digests import damage, keep_digests, must_be_whole
from raft.models.weights import adapter_folder, cache_folder, model_folder, quiet
from raft.progress import Progress, silent


def merged(digest: str) -> Path | None:
    """Return the folder of an adapter that was merged into its base; None where it was not, or has changed since."""
    folder = cache_folder() / "merged" / digest
    return folder if folder.is_dir() and not damage(folder) else None


def merge(base: str, digest: str, progress: Progress = silent) -> Path:
    """Return the folder, as transformers reads it, of a base with an adapter merged into it; it is kept in the cache.

    `base` is an embedded model or a model's folder. It is merged in f32, because bf16 would round most of a small
    update away, and written in bf16. Raises RaftError where base or adapter are missing or have changed.
    """
    if there := merged(digest):
        return there
    import torch
    from peft import PeftModel

    from raft.models.local import load_base

    adapter, target = adapter_folder(digest), cache_folder() / "merged" / digest
    must_be_whole(adapter, "delete the folder, and it is tuned again")
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{digest}-", dir=target.parent))
    try:
        with progress("merging the adapter into its base", 1, "file") as advance:
            tokenizer, model = load_base(base, torch.float32, progress)
            with quiet():
                whole = PeftModel.from_pretrained(model, adapter).merge_and_unload()
                whole.to(torch.bfloat16).save_pretrained(aside)
                tokenizer.save_pretrained(aside)
            settings = model_folder(base, progress) / "generation_config.json"
            if settings.is_file():
                shutil.copyfile(settings, aside / settings.name)
            keep_digests(aside)
            advance(1)
        try:
            aside.rename(target)
        except OSError:
            if merged(digest) is None:  # another process may have finished first, with the same content
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target
