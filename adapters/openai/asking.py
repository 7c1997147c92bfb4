"""A request as a prompt. What this engine cannot do is refused by name, never left out silently."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.openai.problems import Refused
from adapters.openai.wire import ChatMessage, ChatRequest, ResponseFormat
from bot.errors import PromptTooLong
from bot.ports import Engine
from bot.types import Budget, Constraint, Message, Prompt, Sampling


def prompt_of(request: ChatRequest, engine: Engine) -> Prompt:
    """Raises Refused; EngineError where the chat template refuses the messages."""
    if request.n not in (None, 1):
        raise Refused(400, "n can only be 1: ask several times for several answers", code="unsupported", param="n")
    if request.frequency_penalty:
        said = "frequency_penalty is not possible here; presence_penalty and repetition_penalty are"
        raise Refused(400, said, code="unsupported", param="frequency_penalty")
    if request.top_logprobs is not None and not request.logprobs:
        raise Refused(400, "top_logprobs needs logprobs: true", code="invalid_value", param="top_logprobs")
    messages = tuple(_message(message) for message in request.messages)
    tokens, context = engine.count_tokens(messages), engine.context
    if tokens >= context:
        raise PromptTooLong(prompt_tokens=tokens, context=context)
    limit = min(request.max_completion_tokens or request.max_tokens or context, context - tokens)
    return Prompt(
        messages=messages,
        sampling=_sampling(request, limit),
        budget=Budget(context=context, reserved=limit, prompt=tokens),
        conversation=request.prompt_cache_key,
    )


def _message(message: ChatMessage) -> Message:
    text = message.content if isinstance(message.content, str) else "\n".join(part.text for part in message.content)
    return Message(role="system" if message.role == "developer" else message.role, text=text)


def _sampling(request: ChatRequest, limit: int) -> Sampling:
    stop = (request.stop,) if isinstance(request.stop, str) else request.stop or ()
    return Sampling(
        max_tokens=limit,
        temperature=1.0 if request.temperature is None else request.temperature,
        top_p=1.0 if request.top_p is None else request.top_p,
        top_k=request.top_k or 0,
        min_p=request.min_p or 0.0,
        repetition_penalty=1.0 if request.repetition_penalty is None else request.repetition_penalty,
        presence_penalty=request.presence_penalty or 0.0,
        stop=stop,
        seed=request.seed,
        logit_bias=tuple((int(token), bias) for token, bias in (request.logit_bias or {}).items()),
        logprobs=(request.top_logprobs or 0) if request.logprobs else None,
        constraint=_constraint(request.response_format),
    )


def _constraint(form: ResponseFormat | None) -> Constraint | None:
    if form is None or form.type == "text":
        return None
    schema: Mapping[str, Any] = {"type": "object"}
    if form.type == "json_schema":
        if form.json_schema is None or form.json_schema.schema_ is None:
            param = "response_format.json_schema.schema"
            raise Refused(400, f"{param} is missing", code="invalid_value", param=param)
        schema = form.json_schema.schema_
    return Constraint(kind="json_schema", text=json.dumps(schema, ensure_ascii=False))
