"""A GGUF file is converted to what transformers reads, in a process of its own: `python -m raft.models.conversion`."""

import sys
from pathlib import Path

from raft.models.weights import quiet


def convert(gguf: Path, target: Path) -> None:
    """Write the dequantised weights of a GGUF file as bf16 safetensors, which transformers reads in a second."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet():
        folder, name = str(gguf.parent), gguf.name
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.bfloat16)
        # transformers refuses to save a model that it still regards as quantised.
        model.hf_quantizer = None
        model.is_quantized = False
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
