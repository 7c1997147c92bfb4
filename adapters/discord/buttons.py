"""The buttons below a reply. Their ids carry the turn, so that they work after a restart and on every replica."""

import re
from dataclasses import dataclass
from enum import StrEnum

import discord

from bot.types import TurnState

_ID = re.compile(r"parley:(?P<act>[a-z]+):(?P<turn>[^:]{1,80})")


class Act(StrEnum):
    STOP = "stop"
    AGAIN = "again"
    UP = "up"
    DOWN = "down"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Press:
    act: Act
    turn: str


EMOJI = {Act.STOP: "⏹️", Act.AGAIN: "🔄", Act.UP: "👍", Act.DOWN: "👎", Act.FILE: "📄"}


def while_writing(turn: str) -> discord.ui.View:
    return _row(turn, Act.STOP)


def when_finished(turn: str, state: TurnState, *, long: bool) -> discord.ui.View:
    """`long` replies are offered as a file too."""
    acts = (Act.AGAIN,) if state is TurnState.FAILED else (Act.UP, Act.DOWN, Act.AGAIN)
    return _row(turn, *acts, *((Act.FILE,) if long else ()))


def press_in(custom_id: str) -> Press | None:
    found = _ID.fullmatch(custom_id)
    try:
        return Press(Act(found["act"]), found["turn"]) if found else None
    except ValueError:
        return None


def turn_in(message: discord.Message) -> str | None:
    """The turn that a message of ours shows the reply of, by its buttons."""
    for row in message.components:
        for button in row.children if isinstance(row, discord.ActionRow) else ():
            press = press_in(button.custom_id or "")
            if press is not None:
                return press.turn
    return None


def _row(turn: str, *acts: Act) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    for act in acts:
        view.add_item(
            discord.ui.Button(
                style=discord.ButtonStyle.secondary, emoji=EMOJI[act], custom_id=f"parley:{act.value}:{turn}"
            )
        )
    view.stop()  # discord.py need not remember it: presses are told by their ids
    return view
