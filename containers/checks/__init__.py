"""What the images promise, checked on running containers."""
