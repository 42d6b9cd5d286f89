"""The response headers that say what a page may load and do, and who may show it in a frame."""

from __future__ import annotations

import os
from collections.abc import Mapping

# A remote image would tell its server what a visitor reads. The pages ship everything that they need. Gradio and
# Streamlit write scripts and styles into their pages, and build functions from text.
SOURCES = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
# huggingface.co shows a Space in a frame.
HUB_ANCESTORS = "https://huggingface.co https://*.hf.space"
# What asks the visitor or reads their devices. Writing to the clipboard isn't here: the page copies links.
DENIED = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation",
    "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment", "serial",
    "storage-access", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip


def security_headers(environment: Mapping[str, str] | None = None) -> list[tuple[bytes, bytes]]:
    """Return the headers for every response.

    A page may be in a frame of its own origin, on a Space also of huggingface.co, and of the origins in
    SPACEPORT_FRAME_ANCESTORS, separated by white space.
    """
    environment = os.environ if environment is None else environment
    hub = HUB_ANCESTORS if environment.get("SPACE_ID") else ""
    ancestors = " ".join(["'self'", *hub.split(), *_origins(environment.get("SPACEPORT_FRAME_ANCESTORS", ""))])
    policy = SOURCES | {"frame-ancestors": ancestors}
    values = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "permissions-policy": ", ".join(f"{name}=()" for name in DENIED),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-dns-prefetch-control": "off",
        "cross-origin-opener-policy": "same-origin",
    }
    return [(name.encode(), value.encode()) for name, value in values.items()]


def _origins(setting: str) -> list[str]:
    """Return the origins in a setting; a semicolon or a comma would end the list and begin another rule."""
    origins = setting.split()
    if any(";" in origin or "," in origin or not origin.isascii() for origin in origins):
        raise SystemExit(
            "error: SPACEPORT_FRAME_ANCESTORS has something that isn't an origin.\n"
            "  Separate origins such as https://portal.example.com by white space."
        )
    return origins
