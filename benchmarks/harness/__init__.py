"""What several benchmarks share: local servers, clients, tables."""
