"""The visitors of the page: the data of each one, how long it is kept, and what a page of theirs holds."""
