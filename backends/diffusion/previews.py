"""Small pictures of what is being made."""

from __future__ import annotations

import io
from typing import Any

MAX_PLACES = 32  # of the latents on a side, 256 pixels: decoding costs a small part of a step
QUALITY = 70


def preview_steps(steps: int, previews: int) -> set[int]:
    """Return the steps with a preview, evenly over all steps; the last step is the picture itself."""
    return {round(steps * number / (previews + 1)) for number in range(1, previews + 1)} - {0, steps}


def small_preview(pipeline: Any, latents: Any) -> bytes | None:
    """Return a JPEG of the first picture, or None if the pipeline's latents aren't those of its autoencoder."""
    import torch

    vae: Any = getattr(pipeline, "vae", None)
    channels = getattr(getattr(vae, "config", None), "latent_channels", None)
    if latents is None or latents.ndim != 4 or latents.shape[1] != channels:
        return None
    with torch.no_grad():
        first = latents[:1].to(vae.dtype)
        scale = min(1.0, MAX_PLACES / max(first.shape[-2:]))
        size = [max(1, round(side * scale)) for side in first.shape[-2:]]
        small = torch.nn.functional.interpolate(first.float(), size=size, mode="area").to(vae.dtype)
        config = vae.config
        small = small / config.scaling_factor + (getattr(config, "shift_factor", None) or 0)
        image = vae.decode(small, return_dict=False)[0]
        if not torch.isfinite(image).all():  # some autoencoders overflow with 16 bits
            return None
    return _jpeg(pipeline.image_processor.postprocess(image, output_type="pil")[0])


def _jpeg(picture: Any) -> bytes:
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
