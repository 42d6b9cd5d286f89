"""Sign in with Hugging Face: the account of a visitor, and the edges of its routes. Gradio speaks the protocol."""
