"""Prints a folder of k8s/ with the images of one release, for `kubectl apply -f -`.

    python scripts/render_release.py k8s/overlays/staging --tag 0.2.0 [--registry ghcr.io/OWNER]

The tree stays as it is: the same commit can be rendered for any registry and release.
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


def rendered(folder: Path, tag: str, registry: str = "") -> str:
    """The objects of `folder` with our images as `tag`; `RuntimeError` has kubectl's words."""
    name = "{registry}/{image}" if registry else "{image}"
    images = [
        {"name": image, "newName": name.format(registry=registry.rstrip("/"), image=image), "newTag": tag}
        for image in IMAGES
    ]
    with tempfile.TemporaryDirectory() as place:
        # kustomize takes a folder only by a relative path; JSON is YAML.
        base = os.path.relpath(folder.resolve(), Path(place).resolve())
        written = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [base]}
        (Path(place) / "kustomization.yaml").write_text(json.dumps(written | {"images": images}), encoding="utf-8")
        done = subprocess.run(  # kubectl, with a folder that was written here
            ["kubectl", "kustomize", place],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--registry", default="", help="where the images are; left out, they have no registry")
    options = parser.parse_args()
    if not options.tag or options.tag == "latest":
        parser.error("name a version or a commit: a tag that moves cannot be rolled back to")
    try:
        print(rendered(options.folder, options.tag, options.registry), end="")
    except (OSError, RuntimeError) as error:
        print(f"error: {options.folder} cannot be rendered: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
