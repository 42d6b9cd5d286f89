"""What a model's preprocessor_config.json says about its input, done with Pillow and numpy as transformers does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backends.errors import NotConfigured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

# Processors that take a size of one number as the shorter side; the others make a square of it.
SHORTEST_EDGE = ("CLIP", "ConvNext", "EfficientFormer", "MobileNetV", "MobileViT", "PoolFormer")
SQUARE_FROM = 384  # pixels; from here on, ConvNext's processor makes a square and crops nothing
# What changes the input, and is refused because nothing here does it.
UNSUPPORTED = ("do_pad", "rescale_offset", "include_top", "do_thumbnail", "do_align_long_axis", "do_reduce_labels")
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes an input; sizes are pairs of height and width in pixels.

    `resize` is a size, the length of the shorter side, or None; `crop` is the size of the middle that the model sees,
    or None for all of it.
    """

    resize: tuple[int, int] | int | None
    crop: tuple[int, int] | None
    resample: int
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    reverse_channels: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """Read the settings; `NotConfigured` for those that nothing here does."""
        if wrong := [name for name in UNSUPPORTED if config.get(name)]:
            raise _unsupported(f"has {wrong[0]}")
        normalize = config.get("do_normalize", True)
        try:
            return cls(
                *_sizes(config),
                int(config.get("resample", 2)),
                float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0,
                tuple(map(float, config.get("image_mean", (0.5,) * 3))) if normalize else (0.0,),
                tuple(map(float, config.get("image_std", (0.5,) * 3))) if normalize else (1.0,),
                bool(config.get("do_flip_channel_order")),
            )
        except (TypeError, ValueError) as error:
            raise _unsupported(f"has a value that isn't a number ({error})") from error

    @property
    def size(self) -> tuple[int, int]:
        """The height and width of the input."""
        if self.crop:
            return self.crop
        if isinstance(self.resize, tuple):
            return self.resize
        raise _unsupported("names no size of the input")

    @property
    def detail(self) -> int:
        """How many pixels the shorter side of a picture needs: twice what is left of it."""
        return 2 * (max(self.resize) if isinstance(self.resize, tuple) else self.resize or max(self.size))

    def array(self, image: PillowImage, channels: int = 3) -> NDArray[np.float32]:
        """Return the input for a picture in RGB: channels × height × width."""
        import numpy as np

        resized = image.resize(self._resized(image.size), self.resample, reducing_gap=None)
        cropped = _crop(resized, self.crop) if self.crop else resized
        pixels = np.asarray(cropped.convert("L") if channels == 1 else cropped, np.float32)
        pixels = pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
        if self.reverse_channels:
            pixels = pixels[::-1]
        mean, std = (np.asarray(each[:channels], np.float32)[:, None, None] for each in (self.mean, self.std))
        return np.ascontiguousarray((pixels * np.float32(self.scale) - mean) / std, np.float32)

    def seen(self, size: tuple[int, int]) -> Box:
        """Return what the model sees of a picture of this width and height: left, top, right, bottom, from 0 to 1."""
        width, height = self._resized(size)
        if not self.crop:
            return 0, 0, 1, 1
        left, top = (width - self.crop[1]) // 2, (height - self.crop[0]) // 2
        return left / width, top / height, (left + self.crop[1]) / width, (top + self.crop[0]) / height

    def _resized(self, size: tuple[int, int]) -> tuple[int, int]:
        if self.resize is None:
            return size
        if isinstance(self.resize, tuple):
            return self.resize[1], self.resize[0]
        short, long = sorted(size)
        longer = int(self.resize * long / short)
        return (self.resize, longer) if size[0] <= size[1] else (longer, self.resize)


def _sizes(config: Mapping[str, Any]) -> tuple[tuple[int, int] | int | None, tuple[int, int] | None]:
    """Return what a picture is resized to, and the size of its middle that is cropped out."""
    name = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
    if name.startswith("Levit"):
        raise _unsupported("is for LeViT, which enlarges the size that it names")
    share = config.get("crop_pct")  # ConvNext's processor has it
    size = _size(config.get("size"), shortest=bool(share) or name.startswith(SHORTEST_EDGE))
    if share and isinstance(size, int):
        return ((size, size), None) if size >= SQUARE_FROM else (int(size / share), (size, size))
    crop = _size(config.get("crop_size"), shortest=False) if config.get("do_center_crop") else None
    if isinstance(crop, int):
        crop = (crop, crop)
    return size if config.get("do_resize", True) else None, crop


def _size(value: Any, *, shortest: bool) -> tuple[int, int] | int | None:
    match value:
        case None:
            return None
        case int():
            return value if shortest else (value, value)
        case {"height": int(height), "width": int(width)}:
            return height, width
        case {"shortest_edge": int(edge), **rest} if not rest.get("longest_edge"):
            return edge
    raise _unsupported(f"has the size {value}")


def _crop(image: PillowImage, size: tuple[int, int]) -> PillowImage:
    """Return the middle of a picture, with black around one that is smaller."""
    height, width = size
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _unsupported(what: str) -> NotConfigured:
    return NotConfigured(
        f"The model's preprocessor_config.json {what}.", "Use a model with a fixed size, such as Xenova/resnet-50."
    )
