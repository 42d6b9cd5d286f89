"""The gateway: every target of the catalogue behind one OpenAI-compatible address."""
