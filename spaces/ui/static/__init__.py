"""Files that the browser loads on the pages of all Spaces: scripts and the icon."""
