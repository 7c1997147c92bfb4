"""What a press of a button or a choice from a menu does."""

import io
from collections.abc import Mapping

import discord

from adapters.discord.asking import ask
from adapters.discord.buttons import Act, press_in
from adapters.discord.choosing import CHOICE, choose
from adapters.discord.desk import Desk
from adapters.discord.inbound import CHANNEL
from adapters.discord.texts import THANKS, UNAVAILABLE, UNKNOWN
from adapters.shared.thanking import thanks
from bot.errors import ParleyError
from bot.types import StoredMessage, Turn

READ = 200


async def pressed(interaction: discord.Interaction, desk: Desk) -> None:
    """Whoever holds the shard serves it; the turn may be anybody's."""
    data: Mapping[str, object] = {**(interaction.data or {})}
    values = data.get("values")
    if data.get("custom_id") == CHOICE and isinstance(values, list) and values:
        await choose(interaction, desk, str(values[0]))
        return
    press = press_in(str(data.get("custom_id", "")))
    if press is None:
        return
    try:
        turn = await desk.core.store.turns.get(press.turn)
        if turn is None or turn.conversation.channel != CHANNEL or not _is_here(turn, interaction):
            await _say(interaction, UNKNOWN.pick(str(interaction.locale)))
            return
        await _act(press.act, turn, interaction, desk)
    except ParleyError:
        if not interaction.response.is_done():
            await _say(interaction, UNAVAILABLE.pick(str(interaction.locale)))
        raise


async def _act(act: Act, turn: Turn, interaction: discord.Interaction, desk: Desk) -> None:
    locale = str(interaction.locale)
    match act:
        case Act.STOP:
            await interaction.response.defer()
            await desk.core.inbox.stop(turn.id)
        case Act.UP | Act.DOWN:
            kept = await desk.core.inbox.rate(turn.id, "up" if act is Act.UP else "down")
            said = thanks(THANKS, turn.persona, desk.core.personas) if kept else UNKNOWN
            await _say(interaction, said.pick(locale))
        case Act.AGAIN:
            asked = await _said(turn, desk, role="user")
            if asked:
                await ask(interaction, desk, "\n".join(message.text for message in asked))
            else:
                await _say(interaction, UNKNOWN.pick(locale))
        case Act.FILE:
            replies = await _said(turn, desk, role="assistant")
            if replies:
                file = discord.File(io.BytesIO(replies[-1].text.encode()), filename="answer.md")
                await interaction.response.send_message("📄", file=file, ephemeral=True)
            else:
                await _say(interaction, UNKNOWN.pick(locale))


async def _said(turn: Turn, desk: Desk, *, role: str) -> list[StoredMessage]:
    messages = await desk.core.store.conversations.messages(turn.conversation, limit=READ)
    return [message for message in messages if message.turn == turn.id and message.role == role]


def _is_here(turn: Turn, interaction: discord.Interaction) -> bool:
    """The button was pressed where the conversation is."""
    return str(interaction.channel_id) in (turn.conversation.room, turn.conversation.thread)


async def _say(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.send_message(text, ephemeral=True)
