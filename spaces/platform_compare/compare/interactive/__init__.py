"""What visitors of the pages do, without Gradio: races and votes, background measurements, and runs shared by link."""
