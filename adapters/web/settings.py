"""What `channels.web` in parley.yaml may say."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::\d{1,5})?")


class WebSettings(BaseModel):
    """Times are in seconds.

    `origins` are the exact origins (`https://shop.example`) whose pages may carry the widget; our own pages always
    may. `hosts` are further names under which the server is reached, without port; a server on a loopback address
    answers only to these and to localhost. `personas` names the persona of rooms that ask for none.
    `identity_secret` (≥ 32 bytes) and `identity_audience` let a site vouch for its visitors.
    `engine_key_env` names the environment variable with the key that opens `/v1/chat/completions` and `/v1/models`,
    the engine for other programs; without it they are not there. `write_seconds` is how long a reader may take no
    byte before its stream is closed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    personas: Mapping[str, str] = {"default": "support"}
    identity_secret: SecretStr | None = None
    identity_audience: str | None = None
    engine_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    heartbeat_seconds: float = Field(default=15.0, gt=0, le=60)
    poll_seconds: float = Field(default=1.0, gt=0, le=60)
    revoke_seconds: float = Field(default=4.0, gt=0, le=60)
    write_seconds: float = Field(default=30.0, gt=0, le=600)
    max_streams: int = Field(default=2000, ge=1)
    max_streams_per_conversation: int = Field(default=8, ge=1)

    @field_validator("origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is no exact origin: write it as https://shop.example, in lower case, "
                    "without a path or wildcard"
                )
        return origins

    @field_validator("hosts")
    @classmethod
    def _bare_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not re.fullmatch(r"[a-z0-9.-]+|\[[0-9a-f:]+\]", host):
                raise ValueError(
                    f"{host!r} is no host name: write it as chat.example, without scheme, port or wildcard"
                )
        return hosts

    @model_validator(mode="after")
    def _whole_identity(self) -> "WebSettings":
        if (self.identity_secret is None) != (self.identity_audience is None):
            raise ValueError("identity_secret and identity_audience are set together or not at all")
        if self.identity_secret is not None and len(self.identity_secret.get_secret_value().encode()) < 32:
            raise ValueError("identity_secret is shorter than 32 bytes; make one with: openssl rand -hex 32")
        return self
