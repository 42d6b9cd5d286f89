"""Deploys a model to SageMaker."""
