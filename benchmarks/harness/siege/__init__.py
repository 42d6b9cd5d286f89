"""An honest visitor of the chat page, and hostile guests of every kind."""
