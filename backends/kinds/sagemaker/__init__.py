"""A model behind a SageMaker endpoint."""

from backends.sagemaker.backend import connect

__all__ = ["connect"]
