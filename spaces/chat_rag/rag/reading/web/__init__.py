"""Fetches pages and files from the public web, within limits and where robots.txt allows it."""
