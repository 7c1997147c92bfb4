"""Who may touch a conversation: the holder of its token, checked against the database on every call."""

import re
from typing import Annotated

from fastapi import Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.web.inbound import key_of
from adapters.web.problems import Refused
from adapters.web.tokens import is_token, opens
from bot.ports import Store
from bot.types import Conversation, Turn

Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Security(HTTPBearer(auto_error=False, description="The conversation's `token`.")),
]

_ID = re.compile(r"[0-9a-z]{20}")


class Access:
    """Raises Refused: 401 without a token, 403 for what is another's, and likewise for what does not exist."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def conversation(self, conversation: str, bearer: Bearer) -> Conversation:
        token = self._token(bearer)
        found = await self._store.conversations.get(key_of(conversation)) if _ID.fullmatch(conversation) else None
        if not opens(token, found.secret_hash if found else None) or found is None:
            raise Refused(403, "not-yours", "this token opens no conversation of that id")
        return found

    async def turn(self, turn: str, bearer: Bearer) -> Turn:
        token = self._token(bearer)
        found = await self._store.turns.get(turn) if _ID.fullmatch(turn) else None
        owner = await self._store.conversations.get(found.conversation) if found else None
        if not opens(token, owner.secret_hash if owner else None) or found is None:
            raise Refused(403, "not-yours", "this token opens no turn of that id")
        return found

    @staticmethod
    def _token(bearer: HTTPAuthorizationCredentials | None) -> str:
        if bearer is None or not is_token(bearer.credentials):
            detail = "send the conversation's token as: Authorization: Bearer TOKEN"
            raise Refused(401, "no-token", detail, headers={"WWW-Authenticate": "Bearer"})
        return bearer.credentials
