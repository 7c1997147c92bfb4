"""Calls of Slack's Web API: one client per workspace, and what its refusals mean for a delivery."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import ChannelBusy, ChannelError, ChannelGone

TIMEOUT_SECONDS = 10

_GONE = {
    *("account_inactive", "token_revoked", "invalid_auth", "not_authed", "token_expired", "org_login_required"),
    *("channel_not_found", "is_archived", "not_in_channel", "missing_scope", "restricted_action", "user_not_found"),
    *("restricted_action_thread_locked", "restricted_action_read_only_channel", "ekm_access_denied", "thread_locked"),
}


class Unanswered(ChannelError):
    """The call may have taken effect: no answer came back."""


class Refused(ChannelError):
    """Slack answered with `error`."""

    def __init__(self, method: str, error: str) -> None:
        super().__init__(f"Slack refused {method}: {error}")
        self.error = error


def posting_client(token: str, api_url: str) -> AsyncWebClient:
    """A client that tries nothing twice: what may have been posted is looked up first."""
    return AsyncWebClient(token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])


def asking_client(token: str | None, api_url: str) -> AsyncWebClient:
    """A client that waits and tries again by itself, for calls that may be made twice."""
    handlers = [
        AsyncConnectionErrorRetryHandler(),
        AsyncRateLimitErrorRetryHandler(max_retry_count=2),
        AsyncServerErrorRetryHandler(max_retry_count=2),
    ]
    return AsyncWebClient(token=token, base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=handlers)


async def made(method: str, call: Awaitable[Any]) -> dict[str, Any]:
    """The answer of a call. Raises ChannelBusy, ChannelGone, Refused, Unanswered."""
    try:
        response = await call
    except SlackApiError as error:
        raise _meant(method, error.response) from error
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise Unanswered(f"{method} was not answered: {str(error) or type(error).__name__}") from error
    return dict(response.data)


def _meant(method: str, response: Any) -> ChannelError:
    status = getattr(response, "status_code", 200)
    if status == 429:
        headers = {name.lower(): value for name, value in dict(response.headers).items()}
        return ChannelBusy(f"Slack limits {method}", wait=timedelta(seconds=float(headers.get("retry-after", 1))))
    if status >= 500:
        return Unanswered(f"{method} was answered with status {status}")
    data = response.data if isinstance(response.data, dict) else {}
    error = str(data.get("error", "no reason given"))
    if error in {"ratelimited", "rate_limited"}:
        return ChannelBusy(f"Slack limits {method}", wait=timedelta(seconds=1))
    if error in {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}:
        return Unanswered(f"{method} was answered with {error}")
    if error in _GONE:
        return ChannelGone(f"Slack refused {method}: {error}")
    return Refused(method, error)
