"""The event handlers of the chat page."""
