from pydantic import BaseModel, ConfigDict


class ConsoleSettings(BaseModel):
    """`question` asks once and leaves; without it the console chats until the end of input."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    persona: str = "support"
    question: str | None = None
    locale: str | None = None
    user: str = ""
