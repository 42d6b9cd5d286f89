"""Old name of `rag.search.embedding.onnx_export`, for one more release: it prints the new command."""

from __future__ import annotations

import sys

NEW_NAME = "rag.search.embedding.onnx_export"

if __name__ == "__main__":
    print(f"error: `python -m rag.exported` has a new name.\n  Run: python -m {NEW_NAME}", file=sys.stderr)
    sys.exit(2)
