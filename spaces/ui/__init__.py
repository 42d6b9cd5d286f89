"""Code shared by the pages of all Spaces: theme, launch arguments, routes, login, guard and safe Markdown."""
