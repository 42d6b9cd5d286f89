"""The parts of the page: each module builds one part and returns its components, which app.py connects."""
