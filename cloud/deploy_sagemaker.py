"""Deploy a model to SageMaker, update it and delete it: `python cloud/deploy_sagemaker.py plan`."""

from __future__ import annotations

import sys
from pathlib import Path

# Python puts this script's folder first, whose `sagemaker` and `vertex` would hide the SDKs of these names.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cloud.command import Command
from cloud.sagemaker.platform import SageMakerPlatform
from compare import deployment

if __name__ == "__main__":
    sys.exit(Command(SageMakerPlatform(), deployment).main())
