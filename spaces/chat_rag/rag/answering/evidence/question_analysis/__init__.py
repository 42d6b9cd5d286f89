"""What a question asks for: the kind of answer, names, years and periods, its language, and its typos."""
