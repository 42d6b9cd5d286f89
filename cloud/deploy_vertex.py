"""Deploy a model to Vertex AI and bring it back: `python cloud/deploy_vertex.py plan`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloud.command import Command
from cloud.vertex_platform import VertexPlatform

if __name__ == "__main__":
    sys.exit(Command(VertexPlatform()).main())
