"""Talks to the Hugging Face Hub: a client with time-outs, and its errors in words for people."""
