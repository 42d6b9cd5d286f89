"""What a model is sent: rules, passages and conversation, in the room that its context window has."""
