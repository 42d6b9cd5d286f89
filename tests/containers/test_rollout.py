"""A rolling update and a killed pod under load, with real containers, a real proxy and the manifest's own times."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tests.conftest import ROOT, missing


def test_no_stream_is_lost_that_could_end(inference_image: str) -> None:
    for program in ("kubectl", "nginx"):
        if not shutil.which(program):
            missing(program)
    command = [sys.executable, str(ROOT / "benchmarks" / "rollout.py"), "--short", "--replicas", "2"]
    done = subprocess.run([*command, "--image", inference_image], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nmet ") == 4
