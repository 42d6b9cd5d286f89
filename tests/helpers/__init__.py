"""Servers, pages and fixtures shared by the tests of several folders."""
