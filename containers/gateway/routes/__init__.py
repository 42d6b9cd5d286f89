"""What each route of the gateway answers: text, vectors, labels, pictures, and the list of targets."""
