"""`python -m laurel`."""

from laurel.cli.main import run

run()
