"""The source panel: its cards, and the preview of a citation's place in the document."""
