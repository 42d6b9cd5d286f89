"""Which target is faster, answers more per second or costs less, with intervals that hold together."""
