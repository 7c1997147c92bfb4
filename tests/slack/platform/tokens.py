"""Tokens: which installation a call speaks for, installation by OAuth, and rotation."""

import time
from dataclasses import dataclass
from typing import Literal

from tests.slack.platform.errors import SlackError
from tests.slack.platform.ids import Ids
from tests.slack.platform.settings import Settings


@dataclass(slots=True, kw_only=True)
class Token:
    """A token of the app; `state` tells how Slack answers it."""

    value: str
    kind: Literal["bot", "app"]
    team: str | None = None
    org_wide: bool = False
    expires_at: float | None = None
    state: Literal["good", "account_inactive", "token_revoked"] = "good"


class Tokens:
    def __init__(self, ids: Ids, settings: Settings) -> None:
        self.client_id = "1000.2000"
        self.client_secret = "client-secret-of-the-stand-in"
        self._ids = ids
        self._settings = settings
        self._tokens: dict[str, Token] = {}
        self._codes: dict[str, tuple[str, bool]] = {}
        self._refresh: dict[str, tuple[str, bool]] = {}

    def issue(self, kind: Literal["bot", "app"], team: str | None, *, org_wide: bool = False) -> Token:
        value = self._ids.secret("xapp" if kind == "app" else "xoxb")
        rotates = kind == "bot" and self._settings.token_seconds is not None
        expires_at = time.monotonic() + (self._settings.token_seconds or 0) if rotates else None
        token = Token(value=value, kind=kind, team=team, org_wide=org_wide, expires_at=expires_at)
        self._tokens[value] = token
        return token

    def check(self, value: str | None) -> Token:
        if not value:
            raise SlackError("not_authed")
        token = self._tokens.get(value)
        if token is None:
            raise SlackError("invalid_auth")
        if token.state != "good":
            raise SlackError(token.state)
        if token.expires_at is not None and time.monotonic() >= token.expires_at:
            raise SlackError("token_expired")
        return token

    def deactivate(self, value: str, *, error: Literal["account_inactive", "token_revoked"]) -> None:
        self._tokens[value].state = error

    def revoke_all(self, team: str) -> None:
        for token in self._tokens.values():
            if token.team == team:
                token.state = "token_revoked"

    def installed(self, team: str) -> bool:
        return any(
            token.team == team and token.kind == "bot" and token.state == "good" for token in self._tokens.values()
        )

    def code(self, team: str, *, org_wide: bool = False) -> str:
        """A code as Slack gives it to the redirect URL: good for one exchange."""
        code = self._ids.secret("code")
        self._codes[code] = (team, org_wide)
        return code

    def take_code(self, code: str | None) -> tuple[str, bool]:
        if code is None or code not in self._codes:
            raise SlackError("invalid_code")
        return self._codes.pop(code)

    def refresh_token(self, team: str, *, org_wide: bool) -> str:
        value = self._ids.secret("xoxe")
        self._refresh[value] = (team, org_wide)
        return value

    def take_refresh_token(self, value: str | None) -> tuple[str, bool]:
        if value is None or value not in self._refresh:
            raise SlackError("invalid_refresh_token")
        return self._refresh.pop(value)
