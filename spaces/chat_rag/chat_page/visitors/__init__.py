"""The visitors of the page: the data of each one, their keys, and the tickets of pages without a key."""
