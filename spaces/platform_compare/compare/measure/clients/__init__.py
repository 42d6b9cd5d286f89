"""Several processes that measure one run together, because one core isn't enough to read all answers in time."""
