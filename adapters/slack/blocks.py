"""What stands below a finished reply, and how a long text is cut into messages."""

from functools import lru_cache
from typing import Any

from adapters.shared.chunking import split
from adapters.shared.markup import slack
from adapters.slack.words import FEEDBACK, SOURCES, STOPPED
from bot.types import Delivery, LocalText, Source, TurnState

RATE = "parley_rate"
SECTION_CHARS = 2_900  # Slack takes 3,000
CONTEXT_CHARS = 300
MOST_SOURCES = 5

Block = dict[str, Any]


def pieces(text: str) -> list[str]:
    """A Markdown text as messages in mrkdwn, each short enough for a section."""
    found = split(text, limit=SECTION_CHARS, length=_rendered_length)
    return [slack.render(piece) for piece in found]


@lru_cache(maxsize=512)
def _rendered_length(text: str) -> int:
    return len(slack.render(text))


def short(text: str, most: int) -> str:
    """Plain text as one line of mrkdwn, of at most so many characters as people see them."""
    line = " ".join(text.split())
    return slack.escaped(line if len(line) <= most else f"{line[: most - 1]}…")


def section(mrkdwn: str) -> Block:
    return {"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": mrkdwn}}


def footer(delivery: Delivery, *, rated: bool, locale: str | None) -> list[Block]:
    """Sources, a word where it was stopped, and the buttons to rate it."""
    blocks: list[Block] = []
    sources = delivery.message.sources
    if sources:
        names = [short(_named(source), CONTEXT_CHARS) for source in sources[:MOST_SOURCES]]
        blocks.append(context(f"*{SOURCES.pick(locale)}*", *names))
    if delivery.state is TurnState.STOPPED:
        blocks.append(context(f"_{STOPPED.pick(locale)}_"))
    if rated and delivery.state is not TurnState.FAILED:
        blocks.append(_feedback(delivery.turn, locale))
    return blocks


def _named(source: Source) -> str:
    return f"{source.title} ({source.path})" if source.title else source.path


def plain(text: LocalText, locale: str | None) -> dict[str, str]:
    return {"type": "plain_text", "text": text.pick(locale)}


def context(*lines: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": line} for line in lines]}


def _feedback(turn: str, locale: str | None) -> Block:
    good, bad = (
        {
            "text": {"type": "plain_text", "text": words.pick(locale)},
            "accessibility_label": words.pick(locale),
            "value": f"{rating}:{turn}",
        }
        for rating, words in FEEDBACK.items()
    )
    buttons = {"type": "feedback_buttons", "action_id": RATE, "positive_button": good, "negative_button": bad}
    return {"type": "context_actions", "elements": [buttons]}
