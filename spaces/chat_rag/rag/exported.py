"""Old name of `rag.search.onnx_export`, for one more release: it prints the new command."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    print("error: `python -m rag.exported` has a new name.\n  Run: python -m rag.search.onnx_export", file=sys.stderr)
    sys.exit(2)
