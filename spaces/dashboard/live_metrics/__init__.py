"""Live server metrics from Prometheus, without Streamlit."""
