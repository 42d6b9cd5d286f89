"""What leaves the page: files to download, and links that contain a conversation."""
