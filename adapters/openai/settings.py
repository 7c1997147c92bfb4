"""What `serve` in parley.yaml may say, for `parley serve-engine`."""

from pydantic import BaseModel, ConfigDict, Field


class ServeSettings(BaseModel):
    """`key_env` names the environment variable that holds the key callers must send; `name` is the model's name for
    them, by default its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    key_env: str = Field(default="PARLEY_ENGINE_KEY", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._/:-]{1,200}$")
