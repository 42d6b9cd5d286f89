"""The dashboard's pages, drawn with Streamlit."""
