"""Local chat servers with known answers: on a schedule, at a steady pace, in Markdown, or in the frames of a cloud."""
