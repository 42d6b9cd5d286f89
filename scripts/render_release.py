"""Prints a folder of k8s/ with the images of one release, for `kubectl apply -f -`.

    python scripts/render_release.py k8s/overlays/staging --tag 0.2.0 [--registry ghcr.io/OWNER]

The folder isn't changed, so you can render the same commit for any registry and release.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = ("spaceport-inference", "spaceport-demo")


def render(folder: Path, tag: str, registry: str = "") -> str:
    """Return the objects of `folder` with the project's images at `tag`; `RuntimeError` contains kubectl's message."""
    prefix = f"{registry.rstrip('/')}/" if registry else ""
    images = [{"name": image, "newName": f"{prefix}{image}", "newTag": tag} for image in IMAGES]
    with tempfile.TemporaryDirectory() as overlay:
        # kustomize accepts a folder only by a relative path. JSON is valid YAML.
        base = os.path.relpath(folder.resolve(), Path(overlay).resolve())
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [base],
            "images": images,
        }
        (Path(overlay) / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
        process = subprocess.run(
            ["kubectl", "kustomize", overlay],  # noqa: S607 - kubectl is wherever PATH has it
            capture_output=True,
            text=True,
            check=False,
        )
    if process.returncode:
        raise RuntimeError(process.stderr.strip())
    return process.stdout


def main() -> int:
    """Render the folder named on the command line and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--registry", default="", help="the registry of the images; none by default")
    options = parser.parse_args()
    if not options.tag or options.tag == "latest":
        parser.error("name a version or a commit: a moving tag cannot be rolled back to")
    try:
        print(render(options.folder, options.tag, options.registry), end="")
    except (OSError, RuntimeError) as error:
        print(f"error: {options.folder} cannot be rendered: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
