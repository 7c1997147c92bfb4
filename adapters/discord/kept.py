"""What is kept of a person, told to that person alone."""

import io
import json
from collections import Counter

import discord

from adapters.discord.asking import is_served
from adapters.discord.desk import Desk
from adapters.discord.inbound import CHANNEL, Place
from adapters.discord.texts import KEPT, KEPT_CUT, KEPT_NOTHING, KEPT_OF_OTHERS, NOT_HERE, UNAVAILABLE
from bot.errors import ParleyError
from bot.types import LocalText, Person

MOST_BYTES = 8 * 1024 * 1024  # Discord takes files of up to 10 MiB


async def tell(interaction: discord.Interaction, desk: Desk, whom: discord.User | discord.Member) -> None:
    """Of this server, or of all direct messages; the records themselves in a file."""
    locale = str(interaction.locale)
    if not is_served(interaction, desk):
        await _refuse(interaction, NOT_HERE)
        return
    if whom.id != interaction.user.id:
        await _refuse(interaction, KEPT_OF_OTHERS)
        return
    await interaction.response.defer(thinking=True, ephemeral=True)
    tenant = Place(guild=interaction.guild_id, room=0).tenant
    counts: Counter[str] = Counter()
    file, is_whole = io.BytesIO(), True
    try:
        async for record in desk.core.store.records.export(Person(channel=CHANNEL, tenant=tenant, id=str(whom.id))):
            line = json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n"
            is_whole = file.tell() + len(line) <= MOST_BYTES
            if not is_whole:
                break
            file.write(line)
            counts["said" if record.get("author_id") == str(whom.id) else str(record["record"])] += 1
    except ParleyError:
        await interaction.edit_original_response(content=UNAVAILABLE.pick(locale))
        raise
    if not counts:
        await interaction.edit_original_response(content=KEPT_NOTHING.pick(locale))
        return
    told = KEPT.pick(locale).format(
        said=counts["said"],
        answers=counts["message"],
        conversations=counts["conversation"],
        facts=counts["fact"],
        ratings=counts["rating"],
    )
    if not is_whole:
        told += KEPT_CUT.pick(locale)
    file.seek(0)
    await interaction.edit_original_response(content=told, attachments=[discord.File(file, filename="kept.jsonl")])


async def _refuse(interaction: discord.Interaction, said: LocalText) -> None:
    await interaction.response.send_message(said.pick(str(interaction.locale)), ephemeral=True)
