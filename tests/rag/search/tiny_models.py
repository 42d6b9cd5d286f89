"""Small models with random weights, which load like large ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def save_tokenizer(folder: Path, words: int = 0) -> int:
    """Save a tokenizer that knows letters, digits and made-up `words`; return the size of its vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertTokenizerFast

    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *"abcdefghijklmnopqrstuvwxyz0123456789",
        *(f"##{n}" for n in range(10)),
        *(f"word{n}" for n in range(words)),
    ]
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=64).save_pretrained(folder)
    return len(vocabulary)


def save_embedding_model(folder: Path, prompts: Mapping[str, str], words: int = 0) -> str:
    """Save a model for sentence-transformers of one layer, with its prompts; return the folder."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    encoder = folder / "encoder"
    config = BertConfig(
        vocab_size=save_tokenizer(encoder, words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64, initializer_range=1.0,
    )  # fmt: skip
    torch.manual_seed(0)  # each run has the same weights
    BertModel(config).save_pretrained(encoder)
    transformer = Transformer(str(encoder))
    model = SentenceTransformer(modules=[transformer, Pooling(16)], prompts=dict(prompts), device="cpu")
    model.save(str(folder))
    return str(folder)
