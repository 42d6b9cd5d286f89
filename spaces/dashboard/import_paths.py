"""Makes the repository's packages importable where nobody has installed it, as on Streamlit Community Cloud.

In a published Space they lie beside this file, and there is nothing to do.
"""

from __future__ import annotations

import sys
from pathlib import Path

SPACES = Path(__file__).resolve().parent.parent
COMPARATOR = SPACES / "platform_compare"

if (COMPARATOR / "compare").is_dir():
    # At the end: what is installed comes first, and so does this folder's own app.py.
    sys.path += [str(place) for place in (SPACES.parent, SPACES, COMPARATOR) if str(place) not in sys.path]
