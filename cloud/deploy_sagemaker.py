"""Deploy a model to SageMaker and bring it back: `python cloud/deploy_sagemaker.py plan`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloud.command import Command
from cloud.sagemaker_platform import SageMakerPlatform

if __name__ == "__main__":
    sys.exit(Command(SageMakerPlatform()).main())
