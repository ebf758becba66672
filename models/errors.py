"""The root of laurel's own errors."""


class LaurelError(Exception):
    """Something a person can act on; the command line prints its sentence and exits with status 1."""
