"""What the requests of a target took: times by several definitions, and metrics of a target at a load."""
