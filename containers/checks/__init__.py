"""Checks on running containers that the images keep their promises."""
