"""What makes the best quote doubtful: it says something near to what a question asks for."""
