"""A model of inference that knows nothing: two small layers of random weights, saved as a user's would be."""

from pathlib import Path

WORDS = ["the", "weir", "went", "heron", "left", "not", "never", "it", "rained", "."]


def save_model(folder: Path, id2label: dict[int, str], longest: int = 24) -> str:
    """A classifier of pairs with two small layers and random weights; what it says is arbitrary but fixed."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]), "utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=5 + len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=longest, initializer_range=1.0, id2label=id2label,
        label2id={name: i for i, name in id2label.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(vocabulary), vocab_file=str(vocabulary)).save_pretrained(folder)
    return f"local/{folder}"
