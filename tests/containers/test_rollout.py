"""A rolling update and a killed pod under load, with real containers, a real proxy and the times of the manifest."""

from __future__ import annotations

import shutil
import subprocess
import sys

from tests.conftest import ROOT, missing


def test_rollout_loses_no_stream(inference_image: str) -> None:
    for program in ("kubectl", "nginx"):
        if not shutil.which(program):
            missing(program)
    script = str(ROOT / "benchmarks" / "serving" / "rollout.py")
    # With pauses, so that the model leaves processors to other tests.
    command = [sys.executable, script, "--short", "--replicas", "2", "--streams", "3", "--pause", "4"]
    result = subprocess.run([*command, "--image", inference_image], capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("\nmet ") == 4
