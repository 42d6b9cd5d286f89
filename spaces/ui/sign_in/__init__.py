"""Sign in with Hugging Face: the account of a visitor, and middleware around its routes. Gradio speaks the protocol."""
