"""Whether a canary release is promoted, rolled back or measured further."""
