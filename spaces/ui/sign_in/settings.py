"""Whether visitors can sign in, from the variables that the Hub sets."""

from __future__ import annotations

import os
from collections.abc import Mapping


def is_enabled(environment: Mapping[str, str] | None = None) -> bool:
    """Return whether this is a Space with `hf_oauth: true`. A page with SPACEPORT_AUTH has accounts of its own."""
    environment = os.environ if environment is None else environment
    on_space = environment.get("SYSTEM") == "spaces" and environment.get("SPACE_ID")
    return bool(on_space and environment.get("OAUTH_CLIENT_ID")) and not environment.get("SPACEPORT_AUTH", "").strip()
