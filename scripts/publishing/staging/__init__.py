"""Builds the folder that becomes a Space, and checks it before anything is sent."""
