"""What only the order of English words tells: who does what, causes, and the bounds of numbers."""
