"""A visitor's documents: uploads, web pages, shared libraries, and questions to begin with."""
