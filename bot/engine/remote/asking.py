"""A prompt as the body of a request."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import RequestRefused
from bot.types import Prompt, Sampling

_PLAIN = Sampling()

HINTS = frozenset({"stream_options", "top_k", "min_p", "repetition_penalty"})
"""Fields that not every server knows, and that it may go without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request. `limit` is how many tokens the answer may have, `prompt_tokens` our own count of the prompt,
    `options` what its sampling is called on the wire."""

    model: str
    prompt: Prompt
    prompt_tokens: int
    limit: int
    options: Mapping[str, Any]
    extra: Mapping[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """The conversation, for routers behind the endpoint that keep a session with one server. It may hold names of
        people and places, so a digest goes out."""
        conversation = self.prompt.conversation
        if conversation is None:
            return {}
        return {"X-Session-ID": hashlib.sha256(conversation.encode()).hexdigest()[:32]}

    def body(self, *, without: Collection[str]) -> dict[str, Any]:
        """The request in full, streaming. Fields at their neutral value are left out, and those of `without`."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.text} for message in self.prompt.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": self.limit,
            **self.options,
        }
        return {name: value for name, value in body.items() if name not in without} | dict(self.extra)


def options_of(sampling: Sampling) -> dict[str, Any]:
    """Raises RequestRefused for a constraint that the protocol has no word for."""
    options: dict[str, Any] = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    for name in ("top_k", "min_p", "repetition_penalty", "presence_penalty", "seed"):
        if (value := getattr(sampling, name)) != getattr(_PLAIN, name):
            options[name] = value
    if sampling.stop:
        options["stop"] = list(sampling.stop)
    if sampling.logit_bias:
        options["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias}
    if sampling.logprobs is not None:
        options |= {"logprobs": True, "top_logprobs": sampling.logprobs}
    if sampling.constraint is not None:
        if sampling.constraint.kind != "json_schema":
            raise RequestRefused(f"a remote model follows a JSON schema, no {sampling.constraint.kind}")
        schema = {"name": "answer", "strict": True, "schema": json.loads(sampling.constraint.text)}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    return options
