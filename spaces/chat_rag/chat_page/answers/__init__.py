"""Answers while they stream: each becomes a turn of its conversation, and pages follow its updates."""
