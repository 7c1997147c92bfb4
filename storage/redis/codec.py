"""Live events and memories as bytes, and back. Whatever cannot be read raises ValueError."""

import json
from datetime import datetime
from typing import Any

from bot.types import (
    Delta,
    LiveEvent,
    Memory,
    Source,
    StoredMessage,
    Summary,
    TurnFinished,
    TurnReplaced,
    TurnStarted,
    TurnState,
)

_FORMAT = 2


def dump_event(event: LiveEvent) -> bytes:
    match event:
        case TurnStarted():
            return _dump(["started", event.turn, event.attempt])
        case Delta():
            return _dump(["delta", event.turn, event.attempt, event.seq, event.text])
        case TurnReplaced():
            return _dump(["replaced", event.turn, event.attempt, event.seq, event.text])
        case TurnFinished():
            return _dump(["finished", event.turn, event.status, _plain(event.message)])


def load_event(data: bytes) -> LiveEvent:
    match _load(data):
        case ["started", str(turn), int(attempt)]:
            return TurnStarted(turn=turn, attempt=attempt)
        case ["delta", str(turn), int(attempt), int(seq), str(text)]:
            return Delta(turn=turn, attempt=attempt, seq=seq, text=text)
        case ["replaced", str(turn), int(attempt), int(seq), str(text)]:
            return TurnReplaced(turn=turn, attempt=attempt, seq=seq, text=text)
        case ["finished", str(turn), str(status), message]:
            return TurnFinished(turn=turn, status=TurnState(status), message=_message(message))
    raise ValueError("no live event")


def dump_memory(memory: Memory) -> bytes:
    summary = memory.summary and [memory.summary.covers, memory.summary.text]
    messages = [_plain(message) for message in memory.messages]
    return _dump([_FORMAT, memory.version, messages, summary, dict(memory.facts)])


def load_memory(data: bytes) -> Memory:
    match _load(data):
        case [int(written), int(version), list(messages), summary, dict(facts)] if written == _FORMAT:
            return Memory(
                version=version,
                messages=tuple(_message(message) for message in messages),
                summary=_summary(summary),
                facts=facts,
            )
    raise ValueError("no memory of this format")


def _plain(message: StoredMessage) -> list[Any]:
    sources = [[source.title, source.path, source.text] for source in message.sources]
    at = message.at.isoformat()
    return [message.id, message.role, message.text, message.turn, at, message.author, message.author_id, sources]


def _message(plain: object) -> StoredMessage:
    match plain:
        case [
            str(id_),
            "system" | "user" | "assistant" as role,
            str(text),
            str(turn),
            str(at),
            None | str() as author,
            None | str() as author_id,
            list(sources),
        ]:
            return StoredMessage(
                id=id_,
                role=role,
                text=text,
                turn=turn,
                at=datetime.fromisoformat(at),
                author=author,
                author_id=author_id,
                sources=tuple(_source(source) for source in sources),
            )
    raise ValueError("no message")


def _source(plain: object) -> Source:
    match plain:
        case [str(title), str(path), str(text)]:
            return Source(title=title, path=path, text=text)
    raise ValueError("no source")


def _summary(plain: object) -> Summary | None:
    match plain:
        case None:
            return None
        case [str(covers), str(text)]:
            return Summary(covers=covers, text=text)
    raise ValueError("no summary")


def _dump(plain: object) -> bytes:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _load(data: bytes) -> Any:
    return json.loads(data.decode("utf-8", "surrogatepass"))
