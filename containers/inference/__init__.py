"""The inference server: serves any backend over HTTP to OpenAI, SageMaker and Vertex AI clients."""
