"""What a sentence says: its words, names, figures and clauses, in the languages of wording.toml."""
