"""A tiny Stable Diffusion with random weights, in the folder layout of the Hub: of diffusers' own parts."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

SIZE = "64x64"


def save_pipeline(folder: Path, *, with_checker: bool = False) -> Path:
    """Write the pipeline to a folder; the safety checker withholds every picture."""
    import diffusers
    import torch

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    torch.manual_seed(7)
    checker = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    if with_checker:
        checker = _checker() | {"requires_safety_checker": True}
    unet = diffusers.UNet2DConditionModel(
        sample_size=32, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(4, 8),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32, norm_num_groups=2,
    )  # fmt: skip
    vae = diffusers.AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=[4, 8], norm_num_groups=2,
        down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    tokenizer, encoder = _text_encoder(folder)
    diffusers.StableDiffusionPipeline(
        vae=vae, text_encoder=encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler, **checker
    ).save_pretrained(folder)
    return folder


def _text_encoder(folder: Path) -> tuple[Any, Any]:
    """Return a tokenizer with one token a character, and an encoder of its tokens."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    letters = string.ascii_lowercase + string.digits + string.punctuation
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77)
    config = CLIPTextConfig(
        vocab_size=len(tokens), hidden_size=32, intermediate_size=64, num_attention_heads=4, num_hidden_layers=1,
        bos_token_id=len(tokens) - 2, eos_token_id=len(tokens) - 1, pad_token_id=1,
    )  # fmt: skip
    return tokenizer, CLIPTextModel(config)


def _checker() -> dict[str, Any]:
    """The parts of diffusers' safety checker, tiny; its thresholds are so low that every picture is withheld."""
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessor

    vision = {
        "hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 4,
        "image_size": 30, "patch_size": 15, "projection_dim": 32,
    }  # fmt: skip
    checker = StableDiffusionSafetyChecker(CLIPConfig(text_config={}, vision_config=vision, projection_dim=32))
    checker.concept_embeds_weights.data.fill_(-2)
    size = {"height": 30, "width": 30}
    return {"safety_checker": checker, "feature_extractor": CLIPImageProcessor(size=size, crop_size=size)}
