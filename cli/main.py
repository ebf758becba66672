"""The `laurel` command: one subcommand a file, imported only when asked for."""

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from laurel.models.errors import LaurelError

COMMANDS = {
    "up": "run a real Kafka broker here, until Ctrl-C",
    "topics": "create and check the topics",
    "worker": "run the agents that keep scores",
    "replay": "publish a file's events, closing days as they pass",
    "close-day": "close a day and wait for its scores",
    "score": "one account's score",
    "top": "the most influential, of all or of a topic",
    "explain": "why an account has its score",
    "signals": "what looks like gaming, apart from the scores",
    "network": "whom an account influences, and who influences it",
    "watch": "follow a topic as records arrive",
    "dead-letters": "what was refused: look at it, and send it again",
    "rebuild": "recompute all state from the engagements, and compare",
    "models": "score models: their parameters, and what differs",
    "ontology": "topics: their names, and which are part of which",
    "evaluate": "how well scores foretell, on a file",
    "attack": "what it gains to game the score, without Kafka",
    "generate": "write synthetic events",
    "demo": "all of it on real data, in minutes",
}


class _Commands(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module: Any = importlib.import_module("laurel.cli." + cmd_name.replace("-", "_"))
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app = typer.Typer(cls=_Commands, rich_markup_mode=None, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def laurel() -> None:
    """Influence scores from streams of engagements, on Kafka."""


def run() -> None:
    """Entry point. Exit status: 0 done, 1 an error with a sentence, 2 wrong usage, 130 interrupted."""
    try:
        app()
    except LaurelError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":  # `python -m laurel` is the way, and this one must not end silently as if all was done
    run()
