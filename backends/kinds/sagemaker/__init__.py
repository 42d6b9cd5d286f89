"""A model behind a SageMaker endpoint: botocore only signs the requests, and `backends.http` sends them."""

from backends.kinds.sagemaker.backend import connect

__all__ = ["connect"]
