"""Pages to measure, with a browser or with a client that sends the events of a page."""
