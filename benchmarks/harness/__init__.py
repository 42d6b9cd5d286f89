"""What several benchmarks share: servers, pages and their clients, questions with answers, samples, tables."""
