"""Reads and changes Spaces on the Hub: plan, commit, settings, previews, build status."""
