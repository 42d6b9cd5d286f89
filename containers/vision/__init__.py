"""The vision server: classifies pictures over HTTP for clients of its own API, SageMaker and Vertex AI."""
