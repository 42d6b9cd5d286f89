"""Deployment to Vertex AI."""
