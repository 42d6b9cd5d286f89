"""Takes documents apart into units: sentences, list items and cells, with the words in them that can answer."""
