"""The tables of a PDF page: the lines that are their rows, their columns, header rows and cells."""
