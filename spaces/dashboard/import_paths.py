"""Makes the repository's packages importable where they aren't installed, as on Streamlit Community Cloud.

In a published Space, the packages are next to this file, and the module changes nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

SPACES = Path(__file__).resolve().parent.parent
COMPARATOR = SPACES / "platform_compare"

if (COMPARATOR / "compare").is_dir():
    # Appended, so that installed packages and this folder's own app.py take precedence.
    sys.path += [str(folder) for folder in (SPACES.parent, SPACES, COMPARATOR) if str(folder) not in sys.path]
