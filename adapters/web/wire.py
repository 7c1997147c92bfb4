"""What travels: the JSON of requests and answers, and the frames of the event stream."""

import json
from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adapters.web.marks import Mark
from bot.types import Delta, LiveEvent, StoredMessage, TurnFinished, TurnReplaced, TurnStarted

MAX_TEXT = 8000
HEARTBEAT = b": heartbeat\n\n"

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{20}$")]
Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}$")]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
    Field(description="Not blank, no NUL character."),
]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NewConversation(_Request):
    persona: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    locale: Locale | None = None
    identity: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        default=None, description="An HS256 JWT (`sub`, `aud`, `exp` at most 1 h ahead) signed by the site's server."
    )


class NewMessage(_Request):
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] = Field(
        description="The client's own id of the message; sent again it gives the same turn."
    )
    text: Text


class Feedback(_Request):
    rating: Literal["up", "down"]
    comment: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] | None = None


class StarterCard(BaseModel):
    label: str
    prompt: str


class PersonaCard(BaseModel):
    """A persona as a visitor sees it, in one language."""

    name: str
    title: str
    greeting: str | None
    starters: list[StarterCard]
    disclaimer: str | None
    rating_notice: str | None = Field(description="What to tell people where they rate; null: nothing.")
    description: str
    languages: list[str]
    accent: str | None


class PersonaCards(BaseModel):
    personas: list[PersonaCard]
    model: str = Field(description="What a person calls the model that answers.")


class OpenedConversation(BaseModel):
    id: str
    token: str = Field(description="Send it as `Authorization: Bearer` on every other call. It is shown only here.")
    persona: PersonaCard


class SourceOut(BaseModel):
    title: str
    path: str
    text: str


class MessageOut(BaseModel):
    id: str
    role: Literal["user", "assistant"]
    text: str
    turn: str
    at: str = Field(description="ISO 8601 in UTC.")
    sources: list[SourceOut] = Field(default=[], description="Left out where there are none.")


class MessagesOut(BaseModel):
    messages: list[MessageOut]


class AcceptedOut(BaseModel):
    turn: str
    duplicate: bool


class StoppingOut(BaseModel):
    turn: str
    status: Literal["queued", "running", "done", "stopped", "failed"]


def message_json(message: StoredMessage) -> dict[str, Any]:
    """A stored message as clients get it; `sources` only where there are some."""
    out: dict[str, Any] = {
        "id": message.id,
        "role": message.role,
        "text": message.text,
        "turn": message.turn,
        "at": message.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if message.sources:
        out["sources"] = [
            {"title": source.title, "path": source.path, "text": source.text} for source in message.sources
        ]
    return out


def frame(mark: Mark, event: LiveEvent) -> bytes:
    """One server-sent event."""
    match event:
        case TurnStarted():
            name, data = "turn.started", {"turn": event.turn, "attempt": event.attempt}
        case Delta():
            name, data = "delta", _piece(event)
        case TurnReplaced():
            name, data = "turn.replaced", _piece(event)
        case TurnFinished():
            name = "turn.finished"
            data = {"turn": event.turn, "status": event.status.value, "message": message_json(event.message)}
    return f"id: {mark.encode()}\nevent: {name}\ndata: {_encode(data)}\n\n".encode()


def _piece(event: Delta | TurnReplaced) -> dict[str, Any]:
    return {"turn": event.turn, "attempt": event.attempt, "seq": event.seq, "text": event.text}
