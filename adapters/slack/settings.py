"""What `channels.slack` in parley.yaml may say; secrets come from the environment."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.errors import ConfigError


class SlackSettings(BaseModel):
    """One workspace by `bot_token`, or many by `client_id`, `client_secret` and `encryption_key`.

    Events come by Socket Mode with `app_token`, or over HTTP at `/slack/events` with `signing_secret`. `api_url` is
    Slack's API or a proxy before it. `personas` names the persona of channels by their ids, `default` that of all
    others. `file_bytes` is the largest text file that is read; an answer of more than `file_over` characters comes as
    a file too. Times are in seconds: `append_seconds` and `edit_seconds` lie between two additions to a streamed
    reply and two edits of one that is not streamed; a stream ends after `rotate_seconds` or `rotate_chars` and goes on
    in a new message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    encryption_key: SecretStr | None = None
    api_url: str = "https://slack.com/api/"
    personas: Mapping[str, str] = {"default": "support"}
    file_bytes: int = Field(default=65_536, ge=1, le=1_048_576)
    file_over: int = Field(default=12_000, ge=1_000, le=100_000)
    append_seconds: float = Field(default=0.6, ge=0, le=10)
    edit_seconds: float = Field(default=1.2, ge=0, le=10)
    post_seconds: float = Field(default=1.0, ge=0, le=10)
    rotate_seconds: float = Field(default=240.0, gt=0, le=280)
    rotate_chars: int = Field(default=10_000, ge=500, le=10_000)

    @property
    def is_shared(self) -> bool:
        """Whether any workspace may install the app."""
        return self.client_id is not None

    def require_whole(self) -> None:
        """Raises ConfigError, which names the variable that is missing or wrong."""
        if self.is_shared:
            missing = [
                name
                for name, value in (
                    ("SLACK_CLIENT_SECRET", self.client_secret),
                    ("SLACK_ENCRYPTION_KEY", self.encryption_key),
                )
                if value is None
            ]
            if missing:
                raise ConfigError(f"SLACK_CLIENT_ID is set, so {' and '.join(missing)} must be set too")
            if self.bot_token is not None:
                raise ConfigError("set SLACK_BOT_TOKEN for one workspace or SLACK_CLIENT_ID for many, not both")
        else:
            _require("SLACK_BOT_TOKEN", self.bot_token, prefix="xoxb-", where="OAuth & Permissions")
        if self.app_token is not None:
            _require("SLACK_APP_TOKEN", self.app_token, prefix="xapp-", where="Basic Information, App-Level Tokens")
        elif self.signing_secret is None:
            raise ConfigError(
                "set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP); both are under Basic Information "
                "of your app at https://api.slack.com/apps"
            )


def _require(name: str, value: SecretStr | None, *, prefix: str, where: str) -> None:
    if value is None:
        raise ConfigError(f"{name} is not set; copy it from {where} of your app at https://api.slack.com/apps")
    if not value.get_secret_value().startswith(prefix):
        raise ConfigError(f"{name} does not begin with {prefix}: copy it from {where} of your app")
