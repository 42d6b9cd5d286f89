"""Text recognition: the engines RapidOCR and tesseract, and the order of the lines that they read."""
