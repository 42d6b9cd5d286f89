"""A visitor's conversations: where they are stored, their list, answers that are being written, and feedback."""
