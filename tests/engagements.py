"""Engagements that stories are told with, each told apart by its number and day."""

from typing import Any

DAY = 86_400_000  # milliseconds


def engagement(number: int, day: int, action: str, actor: str, target: str, *topics: str) -> dict[str, Any]:
    """An engagement on a day (since 1970-01-01), on the target's network; the number is also its moment."""
    return {
        "event_id": f"e{day}-{number}",
        "network": target.split(":", maxsplit=1)[0],
        "action": action,
        "actor": actor,
        "target": target,
        "content_id": None,
        "topics": list(topics),
        "text": None,
        "occurred_at": day * DAY + number,
        "private": False,
        "retracts": None,
    }
