"""The diffusion server: makes pictures of prompts over HTTP, for clients of OpenAI's API, SageMaker and Vertex AI."""
