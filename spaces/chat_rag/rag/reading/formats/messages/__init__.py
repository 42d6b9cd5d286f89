"""Reads e-mail messages, as mail programs and Outlook save them."""
