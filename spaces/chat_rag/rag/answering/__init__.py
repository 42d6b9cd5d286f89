"""From a question to a cited answer: retrieval, prompt, stream, citations."""
