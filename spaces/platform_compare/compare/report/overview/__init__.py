"""What a reader sees of a run first: a headline in one sentence, and a card with four figures per target."""
