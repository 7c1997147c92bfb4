"""What a body may say: Discord's published schema where it is at hand, and the rules that it does not tell."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.discord.platform.requests import Refused, Request

SPECIFICATION = Path(__file__).parents[4] / "shared" / "specs" / "discord_openapi.json"
MOST_CHARACTERS = 2000
MOST_EMBED_CHARACTERS = 6000
MOST_NONCE = 25
CONTENT_TYPES = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
SENT_AS_NUMBERS: Mapping[str, tuple[str, ...]] = {  # by discord.py; Discord takes both, the schema wants strings
    "": ("recipient_id",),
    "message_reference": ("message_id", "channel_id", "guild_id"),
    "attachments": ("id",),
}


@cache
def specification() -> Mapping[str, Any] | None:
    return json.loads(SPECIFICATION.read_text(encoding="utf-8")) if SPECIFICATION.is_file() else None


@cache
def _schema(route: str) -> jsonschema_rs.Validator | None:
    """The validator of a route's JSON body; None where the document has none."""
    document = specification()
    method, _, path = route.partition(" ")
    if document is None:
        return None
    body = document["paths"][path][method.lower()].get("requestBody")
    if body is None:
        return None
    kinds = body["content"]
    schema = next(kinds[kind]["schema"] for kind in CONTENT_TYPES if kind in kinds)
    return jsonschema_rs.validator_for({"allOf": [schema], "components": document["components"]})


class Checks:
    """Refuses a body with 400 and remembers why; counts those that were right."""

    def __init__(self) -> None:
        self.validated = 0
        self.rejected: list[str] = []

    def body(self, request: Request) -> None:
        if request.body is None:
            return
        try:
            self._schema(request)
            for message in _messages(request):
                _message(message, creates=request.method == "POST")
        except Refused as refused:
            self.rejected.append(f"{request.route}: {refused.message}")
            raise
        self.validated += 1

    @staticmethod
    def _schema(request: Request) -> None:
        schema = _schema(request.route)
        if schema is None:
            return
        error = next(schema.iter_errors(_as_published(request.body)), None)
        if error is not None:
            where = ".".join(str(part) for part in error.instance_path)
            raise Refused(400, 50035, f"Invalid Form Body: {where}: {error.message[:300]}")


def _as_published(body: Any, *, under: str = "") -> Any:
    if isinstance(body, dict):
        numbers = SENT_AS_NUMBERS.get(under, ())
        return {
            key: str(value) if key in numbers and type(value) is int else _as_published(value, under=key)
            for key, value in body.items()
        }
    return [_as_published(item, under=under) for item in body] if isinstance(body, list) else body


def _messages(request: Request) -> Iterator[dict[str, Any]]:
    """The messages in a body."""
    if request.template.endswith("/callback"):
        if request.body["type"] in (4, 7):
            yield request.body.get("data", {})
    elif request.template.endswith(("/messages", "/messages/{message_id}", "/{webhook_token}")):
        yield request.body
    elif request.template.endswith("/threads") and "message" in request.body:
        yield request.body["message"]


def _message(message: dict[str, Any], *, creates: bool) -> None:
    content = message.get("content") or ""
    if len(content.encode("utf-16-le")) // 2 > MOST_CHARACTERS:
        raise Refused(400, 50035, f"content: Must be {MOST_CHARACTERS} or fewer in length")
    if len(str(message.get("nonce", ""))) > MOST_NONCE:
        raise Refused(400, 50035, f"nonce: Must be {MOST_NONCE} or fewer in length")
    if creates and not any(message.get(key) for key in ("content", "embeds", "attachments", "components", "files")):
        raise Refused(400, 50006, "Cannot send an empty message")
    if content and message.get("allowed_mentions", {}).get("parse") != []:
        raise Refused(400, 50035, "allowed_mentions: this platform wants every message to parse no mentions")
    embeds = message.get("embeds") or []
    if len(embeds) > 10 or sum(_characters(embed) for embed in embeds) > MOST_EMBED_CHARACTERS:
        raise Refused(400, 50035, "embeds: Embed size exceeds maximum size")


def _characters(embed: dict[str, Any]) -> int:
    fields = embed.get("fields", [])
    texts = [embed.get("title"), embed.get("description"), embed.get("footer", {}).get("text")]
    texts += [text for field in fields for text in (field["name"], field["value"])]
    return sum(len(text or "") for text in texts)
