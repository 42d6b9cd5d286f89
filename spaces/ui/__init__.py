"""Code shared by the pages of all Spaces: theme, launch arguments, security headers and safe Markdown."""
