"""Deploys a model to SageMaker or Vertex AI, and brings it back: `deploy_sagemaker.py` and `deploy_vertex.py`."""
