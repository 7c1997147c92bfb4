"""Interactions that are being answered: kept sealed in the vault, so that any replica can finish them."""

import base64
import hashlib
import time
from dataclasses import asdict, dataclass
from json import dumps, loads

import discord
from cryptography.fernet import Fernet, InvalidToken

from adapters.discord.settings import DiscordSettings
from bot.ports import Vault

LIFE_SECONDS = 14 * 60
KEPT_SECONDS = 3600
PREFIX = "discord.use."
EVENT = "use:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of the application. `message` is the response that waits to be filled; `outside`: the bot itself is
    not in that place, so that everything goes through the interaction's token."""

    id: str
    token: str
    message: int
    made_at: float
    outside: bool = False

    @property
    def event_id(self) -> str:
        return EVENT + self.id

    @property
    def is_alive(self) -> bool:
        """Discord takes answers for fifteen minutes; one is left for the last."""
        return time.time() - self.made_at < LIFE_SECONDS


class Uses:
    def __init__(self, vault: Vault, settings: DiscordSettings) -> None:
        self._vault = vault
        key = hashlib.sha256(b"parley discord uses " + settings.token.get_secret_value().encode()).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(key))

    async def put(self, use: Use) -> None:
        sealed = self._seal.encrypt(dumps(asdict(use)).encode())
        await self._vault.put(PREFIX + use.id, sealed.decode())

    async def of(self, events: tuple[str, ...]) -> list[Use]:
        """Those among a turn's events that are interactions still waiting, oldest first."""
        found: list[Use] = []
        for event in events:
            if not event.startswith(EVENT):
                continue
            sealed = await self._vault.get(PREFIX + event.removeprefix(EVENT))
            try:
                use = Use(**loads(self._seal.decrypt(sealed))) if sealed else None
            except InvalidToken:
                continue  # sealed with a token that was replaced since
            if use is not None and use.is_alive:
                found.append(use)
        return found

    async def done(self, use: Use) -> None:
        await self._vault.delete(PREFIX + use.id)

    async def sweep(self) -> None:
        """Delete what nobody will answer any more."""
        for name in await self._vault.names(PREFIX):
            made = discord.utils.snowflake_time(int(name.removeprefix(PREFIX))).timestamp()
            if time.time() - made > KEPT_SECONDS:
                await self._vault.delete(name)
