"""From the characters of a PDF page to its lines: words, segments, superscripts, right-to-left text."""
