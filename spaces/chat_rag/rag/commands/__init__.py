"""The subcommands of `python -m rag`, one module each."""
