"""What several processes share through a Redis: counters of one minute, and slots for work."""
