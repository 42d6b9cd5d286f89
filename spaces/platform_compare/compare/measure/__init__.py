"""Plans a run, sends its requests and records raw arrivals."""
