"""Code shared by the pages of all Spaces: theme, launch arguments, access, limits and safe Markdown."""
