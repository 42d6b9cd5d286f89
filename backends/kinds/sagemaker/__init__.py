"""A model behind a SageMaker endpoint."""

from backends.kinds.sagemaker.backend import connect

__all__ = ["connect"]
