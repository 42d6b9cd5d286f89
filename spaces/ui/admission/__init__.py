"""Who may start work on a page now, who waits, and who must come back later."""
