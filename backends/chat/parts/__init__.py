"""Parts of requests and answers in the OpenAI chat format: each is read and written here."""
