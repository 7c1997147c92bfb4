"""What discord.py raises becomes the house's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import discord

from bot.errors import ChannelBusy, ChannelError, ChannelGone


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raises ChannelBusy, ChannelGone or ChannelError in place of what Discord said."""
    try:
        yield
    except discord.RateLimited as error:
        raise ChannelBusy(f"Discord limits {what}", wait=timedelta(seconds=error.retry_after)) from error
    except (discord.Forbidden, discord.NotFound) as error:
        raise ChannelGone(f"Discord refuses {what}: {error.text or error.status}") from error
    except discord.HTTPException as error:
        if error.status == 429:
            after = float(error.response.headers.get("Retry-After", 5))
            raise ChannelBusy(f"Discord limits {what}", wait=timedelta(seconds=after)) from error
        raise ChannelError(f"Discord did not take {what}: {error.status} {error.text}") from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise ChannelError(f"no answer from Discord about {what}: {error!r}") from error
