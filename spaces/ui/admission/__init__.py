"""Who may start work on a page now, who waits, and who is told to come back later."""
