"""Pictures from prompts: a diffusion pipeline in this process, or behind the address of a server."""
