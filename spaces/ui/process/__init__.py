"""What a page's process is built on: environment variables, threads, an event loop, memory."""
