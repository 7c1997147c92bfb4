"""Where the app is installed: tokens sealed with a key from the environment, kept in the vault."""

import json
import logging
import secrets
import time
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.errors import ConfigError
from bot.ports import Vault

PREFIX = "slack:installation:"
STATE = "slack:state:"
STATE_SECONDS = 600

log = logging.getLogger(__name__)


class Seal:
    """Fernet: AES-128-CBC with HMAC-SHA-256."""

    def __init__(self, key: str) -> None:
        """Raises ConfigError where it is no key."""
        try:
            self._fernet = Fernet(key.encode())
        except ValueError as error:
            raise ConfigError(
                "SLACK_ENCRYPTION_KEY is no key: make one with "
                '`python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`'
            ) from error

    def close(self, value: Any) -> str:
        return self._fernet.encrypt(json.dumps(value).encode()).decode()

    def open(self, sealed: str) -> Any:
        """Raises ConfigError where another key closed it."""
        try:
            return json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise ConfigError("SLACK_ENCRYPTION_KEY is not the key that the stored tokens were sealed with") from error


class Installations(AsyncInstallationStore):
    """One installation a workspace, or one for a whole organisation (Enterprise Grid)."""

    def __init__(self, vault: Vault, seal: Seal) -> None:
        self._vault = vault
        self._seal = seal

    @property
    def logger(self) -> logging.Logger:
        return log

    async def async_save(self, installation: Installation) -> None:
        whole = installation.is_enterprise_install or not installation.team_id
        kept = {name: value for name, value in vars(installation).items() if value is not None}
        await self._vault.put(
            _name(None if whole else installation.team_id, installation.enterprise_id), self._seal.close(kept)
        )

    async def async_save_bot(self, bot: Bot) -> None:
        """A rotated token takes the place of the one before."""
        name = await self._where(bot.enterprise_id, bot.team_id)
        if name is not None:
            kept = self._seal.open(str(await self._vault.get(name)))
            rotated = {"bot_token", "bot_refresh_token", "bot_token_expires_at"}
            await self._vault.put(name, self._seal.close(kept | {each: getattr(bot, each) for each in rotated}))

    async def async_find_bot(
        self, *, enterprise_id: str | None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        found = await self.async_find_installation(enterprise_id=enterprise_id, team_id=team_id)
        return None if found is None else found.to_bot()

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None = None,
        is_enterprise_install: bool | None = False,
    ) -> Installation | None:
        name = await self._where(enterprise_id, team_id)
        sealed = None if name is None else await self._vault.get(name)
        return None if sealed is None else Installation(**self._seal.open(sealed))

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        await self.async_delete_all(enterprise_id=enterprise_id, team_id=team_id)

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        await self.async_delete_all(enterprise_id=enterprise_id, team_id=team_id)

    async def async_delete_all(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        name = await self._where(enterprise_id, team_id)
        if name is not None:
            await self._vault.delete(name)

    async def belongs(self, team_id: str, enterprise_id: str) -> None:
        """A workspace of an organisation that installed the app for all of its workspaces."""
        pointer = f"{PREFIX}of:{team_id}"
        if await self._vault.get(pointer) is None:
            await self._vault.put(pointer, enterprise_id)

    async def _where(self, enterprise_id: str | None, team_id: str | None) -> str | None:
        enterprise = enterprise_id or (await self._vault.get(f"{PREFIX}of:{team_id}") if team_id else None)
        for name in (_name(team_id, enterprise_id), _name(None, enterprise)):
            if await self._vault.get(name) is not None:
                return name
        return None


class States(AsyncOAuthStateStore):
    """The states of installations under way, good once and for ten minutes, on any replica."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @property
    def logger(self) -> logging.Logger:
        return log

    async def async_issue(self, *args: Any, **kwargs: Any) -> str:
        state = secrets.token_urlsafe(24)
        await self._vault.put(STATE + state, str(time.time() + STATE_SECONDS))
        return state

    async def async_consume(self, state: str) -> bool:
        until = await self._vault.get(STATE + state)
        if until is None:
            return False
        await self._vault.delete(STATE + state)
        return time.time() < float(until)


def _name(team: str | None, enterprise: str | None) -> str:
    return f"{PREFIX}team:{team}" if team else f"{PREFIX}enterprise:{enterprise}"
