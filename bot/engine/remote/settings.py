"""What the operator chooses about a remote engine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class RemoteSettings(BaseModel):
    """The section `engine` of parley.yaml with `use: remote`. Times are in seconds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    endpoints: Annotated[tuple[str, ...], Field(min_length=1, max_length=64)]
    """Base URLs that serve the same model, such as `http://gpu1:8000/v1`; without a path `/v1` is meant."""

    model: Annotated[str, Field(min_length=1)]
    """The model's name on the endpoints."""

    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds the endpoints' key. None: they ask for none."""

    context: Annotated[int, Field(ge=16)] | None = None
    """Most tokens of a prompt and its answer. None: what the endpoints say of the model, 4,096 where they do not."""

    tokenizer: Path | None = None
    """A folder with the model's tokenizer.json and chat template, for exact counts. None: counts are estimated."""

    deadline: Seconds = 120.0
    """A request in all."""

    connect_seconds: Seconds = 5.0
    first_seconds: Seconds = 60.0
    """From asking an endpoint to the first token of its answer."""

    idle_seconds: Seconds = 30.0
    """Between two pieces of an answer."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    """How often an answer is asked for, all endpoints together, until one begins. One that has begun is never asked
    for again."""

    hedge_seconds: Seconds | None = None
    """Ask a second endpoint as well where the first has not begun to answer by then; the first to begin is taken."""

    at_once: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Requests in flight; one more is told that the engine is busy."""

    spill: Annotated[int, Field(ge=0, le=10_000)] = 4
    """A conversation stays with its endpoint, whose cache holds its beginning, until that one has so many more requests
    in flight than the idlest."""

    break_after: Annotated[int, Field(ge=1, le=100)] = 3
    """Failures in a row after which an endpoint is left alone."""

    rest_seconds: Seconds = 5.0
    """For how long at first; doubled while it goes on failing, up to a minute."""

    check_seconds: Seconds = 10.0
    """Between two looks at how an endpoint is."""

    extra: Mapping[str, Any] = {}
    """Further fields of every request, as the server wants them: `{chat_template_kwargs: {enable_thinking: false}}`."""

    @field_validator("endpoints")
    @classmethod
    def _base_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_base_url(url) for url in urls))


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an endpoint is a base URL such as http://gpu1:8000/v1")
    if parts.username is not None:
        raise ValueError("an endpoint holds no password; name the variable that holds its key in key_env")
    return url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")
