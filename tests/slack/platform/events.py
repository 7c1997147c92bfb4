"""Events, interactions and commands over HTTP, signed with the app's signing secret."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from tests.slack.platform.carrying import Ack, Envelope
from tests.slack.platform.settings import Settings
from tests.slack.platform.things import Json


class HttpEvents:
    """Posts to the app's request URL; `post` also lets a test forge a request."""

    def __init__(self, url: str, session: aiohttp.ClientSession, settings: Settings, *, signing_secret: str) -> None:
        self._url = url
        self._session = session
        self._settings = settings
        self._secret = signing_secret

    async def carry(self, envelope: Envelope) -> Ack | str:
        headers = {}
        if envelope.attempt:
            headers = {"X-Slack-Retry-Num": str(envelope.attempt), "X-Slack-Retry-Reason": envelope.reason or ""}
        try:
            status, answer, body = await self.post(*encoded(envelope), headers=headers)
        except TimeoutError:
            return "http_timeout"
        except aiohttp.ClientError:
            return "connection_failed"
        if not 200 <= status < 300:
            return "no_retry" if answer.get("X-Slack-No-Retry") == "1" else "http_error"
        return Ack(response=_parsed(body), connection=self._url)

    async def post(
        self,
        body: str,
        content_type: str,
        *,
        headers: dict[str, str] | None = None,
        timestamp: int | None = None,
        secret: str | None = None,
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of the answer. `timestamp` and `secret` are the true ones unless given."""
        sent_at = int(time.time()) if timestamp is None else timestamp
        signed = {
            "Content-Type": content_type,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": str(sent_at),
            "X-Slack-Signature": signature(body, sent_at, secret=self._secret if secret is None else secret),
        }
        timeout = aiohttp.ClientTimeout(total=self._settings.ack_seconds)
        async with self._session.post(
            self._url, data=body.encode(), headers=signed | (headers or {}), timeout=timeout
        ) as answer:
            return answer.status, dict(answer.headers), await answer.text()

    async def verify(self) -> bool:
        """Whether the request URL answers Slack's challenge, as it must before Slack takes the URL."""
        challenge = "challenge-of-the-stand-in"
        payload = {"type": "url_verification", "token": "unused", "challenge": challenge}
        status, _, body = await self.post(json.dumps(payload), "application/json")
        return status == 200 and challenge in body


def signature(body: str, timestamp: int, *, secret: str) -> str:
    signed = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256)
    return f"v0={signed.hexdigest()}"


def encoded(envelope: Envelope) -> tuple[str, str]:
    """The body and its content type: events as JSON, interactions and commands as forms."""
    if envelope.kind == "events_api":
        return json.dumps(envelope.payload), "application/json"
    form = {"payload": json.dumps(envelope.payload)} if envelope.kind == "interactive" else envelope.payload
    return urlencode(form), "application/x-www-form-urlencoded"


def _parsed(body: str) -> Json | str | None:
    if not body:
        return None
    try:
        parsed = json.loads(body)
    except ValueError:
        return body
    return parsed if isinstance(parsed, dict) else body
