"""Measurements against other stream processors: `make bench`, or `python -m bench` in the project's environment."""
