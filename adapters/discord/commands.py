"""Slash commands and those of a message's and a person's menu, in English and Chinese; told to Discord when changed."""

import hashlib
import json
import math
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.app_commands import locale_str

from adapters.discord.asking import ask
from adapters.discord.choosing import MOST_CHOICES, choose, offer
from adapters.discord.desk import Desk
from adapters.discord.kept import tell
from adapters.discord.texts import ABOUT, TOO_OFTEN

SYNCED = "discord.commands."
CHINESE = {
    "ask": "提问",
    "Ask a question": "提一个问题",
    "question": "问题",
    "What you want to know": "您想知道什么",
    "persona": "角色",
    "Who shall answer": "由谁来回答",
    "new": "新对话",
    "Begin a new conversation here": "在这里开始新对话",
    "See who can answer here, or choose": "查看或选择在这里回答的角色",
    "stop": "停止",
    "Stop the reply that is being written": "停止正在写的回答",
    "forget": "忘记",
    "Delete all that was said here": "删除这里的全部对话",
    "help": "帮助",
    "What you can do here": "这里能做什么",
    "Ask about this message": "就这条消息提问",
    "What is kept of me": "保存了我的哪些内容",
}

Command = app_commands.Command[Any, ..., Any]

KEPT_TOLD = 3, 60.0  # so often, in so many seconds: each time a person's records are read whole

log = structlog.stdlib.get_logger()


class Chinese(app_commands.Translator):
    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        return CHINESE.get(string.message) if locale is discord.Locale.chinese else None


class Tree(app_commands.CommandTree[discord.Client]):
    def __init__(self, client: discord.Client, desk: Desk) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        self._desk = desk

    async def sync_if_changed(self) -> None:
        """Nothing is sent where Discord already has these commands, and nothing is taken away at the end."""
        if self.client.shard_id not in (None, 0):
            return
        translator = Chinese()
        await self.set_translator(translator)
        payload = [await command.get_translated_payload(self, translator) for command in self._global()]
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        vault, name = self._desk.core.store.vault, SYNCED + self._desk.settings.application
        if await vault.get(name) != digest:
            await self.sync()
            await vault.put(name, digest)
            log.info("told Discord the commands", count=len(payload))

    def _global(self) -> list[Command | app_commands.Group | app_commands.ContextMenu]:
        return [command for kind in discord.AppCommandType for command in self.get_commands(type=kind)]

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        if isinstance(error, app_commands.CommandOnCooldown):
            said = TOO_OFTEN.pick(str(interaction.locale)).format(seconds=math.ceil(error.retry_after))
            await interaction.response.send_message(said, ephemeral=True)
            return
        log.warning("a command was not served", command=getattr(interaction.command, "name", None), error=str(error))


def make_tree(client: discord.Client, desk: Desk) -> Tree:
    tree = Tree(client, desk)

    async def choices(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        locale, typed = str(interaction.locale), typed.lower()
        titles = {persona.name: persona.title.pick(locale) for persona in desk.core.personas.all()}
        found = [(name, title) for name, title in titles.items() if typed in name or typed in title.lower()]
        return [app_commands.Choice(name=title[:100], value=name) for name, title in found[:MOST_CHOICES]]

    @tree.command(name=locale_str("ask"), description=locale_str("Ask a question"))
    @app_commands.rename(question=locale_str("question"), persona=locale_str("persona"))
    @app_commands.describe(question=locale_str("What you want to know"), persona=locale_str("Who shall answer"))
    @app_commands.autocomplete(persona=choices)
    async def ask_command(interaction: discord.Interaction, question: str, persona: str | None = None) -> None:
        known = {found.name for found in desk.core.personas.all()}
        await ask(interaction, desk, question, persona=persona if persona in known else None)

    @tree.command(name=locale_str("persona"), description=locale_str("See who can answer here, or choose"))
    @app_commands.rename(persona=locale_str("persona"))
    @app_commands.describe(persona=locale_str("Who shall answer"))
    @app_commands.autocomplete(persona=choices)
    async def persona_command(interaction: discord.Interaction, persona: str | None = None) -> None:
        await (choose(interaction, desk, persona) if persona else offer(interaction, desk))

    for name, description, private in (
        ("new", "Begin a new conversation here", False),
        ("stop", "Stop the reply that is being written", True),
        ("forget", "Delete all that was said here", False),
        ("help", "What you can do here", True),
    ):
        tree.add_command(_spoken(desk, name, description, private=private))

    @tree.context_menu(name=locale_str("Ask about this message"))
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        quoted = message.clean_content.replace("\n", "\n> ")
        asked = ABOUT.pick(str(interaction.locale))
        await ask(interaction, desk, f"> {message.author.display_name}: {quoted}\n\n{asked}")

    @tree.context_menu(name=locale_str("What is kept of me"))
    @app_commands.checks.cooldown(*KEPT_TOLD, key=lambda interaction: interaction.user.id)
    async def kept(interaction: discord.Interaction, whom: discord.User | discord.Member) -> None:
        await tell(interaction, desk, whom)

    return tree


def _spoken(desk: Desk, name: str, description: str, *, private: bool) -> Command:
    """A command that is the same as the message `!name`."""

    async def run(interaction: discord.Interaction) -> None:
        await ask(interaction, desk, f"!{name}", private=private)

    return app_commands.Command(name=locale_str(name), description=locale_str(description), callback=run)
