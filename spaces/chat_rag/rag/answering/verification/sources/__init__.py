"""What the passages say: their sentences, the statements with figures, and what stands around these."""
