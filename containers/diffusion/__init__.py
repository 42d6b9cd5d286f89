"""The diffusion server: makes pictures from prompts over HTTP, for clients of OpenAI's API, SageMaker and Vertex AI."""
