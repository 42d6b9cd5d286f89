"""What the pages of all Spaces share: theme, launch arguments, guard and safe Markdown."""
