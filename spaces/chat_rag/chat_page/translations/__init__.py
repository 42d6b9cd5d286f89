"""The words of the chat page in five languages: each page has those of its browser."""
