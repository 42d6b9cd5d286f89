"""How requests get their answers: they wait for a slot, are generated, and end."""
