"""What travels: the requests and answers of `/v1/chat/completions`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

DONE = b"data: [DONE]\n\n"


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class TextPart(_Given):
    type: Literal["text"]
    text: str


class ChatMessage(_Given):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[tuple[TextPart, ...], Field(max_length=1000)]
    name: str | None = None


class StreamOptions(_Given):
    include_usage: bool = False
    include_obfuscation: bool = False


class JsonSchema(_Given):
    name: str
    description: str | None = None
    schema_: Mapping[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None


class ResponseFormat(_Given):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


Stop = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class ChatRequest(_Given):
    """The fields that have a meaning here. Those below `user` are taken and change nothing."""

    model: str
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, max_length=1000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(ge=0.5, le=2)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    stop: Stop | Annotated[tuple[Stop, ...], Field(max_length=16)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    logit_bias: (
        Annotated[
            dict[Annotated[str, StringConstraints(pattern=r"^\d{1,9}$")], Annotated[float, Field(ge=-100, le=100)]],
            Field(max_length=1000),
        ]
        | None
    ) = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    prompt_cache_key: Annotated[str, StringConstraints(max_length=500)] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: Mapping[str, str] | None = None
    store: bool | None = None
    service_tier: str | None = None


def event(data: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return f"data: {_encode(data)}\n\n".encode()
