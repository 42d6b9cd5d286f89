"""What is checked of servers and clients: each check returns what was seen, or says whose shortcoming it is."""
