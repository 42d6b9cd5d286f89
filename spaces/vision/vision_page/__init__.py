"""The page of the vision Space: a picture, what classifiers find in it, and what decided."""
