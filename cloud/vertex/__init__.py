"""Deploys a model to Vertex AI."""
