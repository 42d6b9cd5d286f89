"""Deploys a model to SageMaker or Vertex AI: `deploy_sagemaker.py` and `deploy_vertex.py` are the command lines."""
