"""The frames between the engine's client and its worker: four bytes of length, then JSON."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bot.engine.sequence import Reason
from bot.types import Constraint, Sampling

HEADER = struct.Struct(">I")
LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first frame to a worker: what to load and how."""

    folder: str
    device: str
    dtype: str
    threads: int | None
    slots: int
    context: int
    chunk: int
    kept: int | None
    ends: list[int]
    adapters: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generate:
    id: int
    tokens: list[int]
    limit: int
    sampling: dict[str, Any]
    adapter: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The model is loaded. `batched` says whether its rows decode in one forward; `running` and `kept` are the most
    bytes that keys and values take, of the rows that run and of those kept for prompts to come."""

    device: str
    dtype: str
    threads: int
    slots: int
    batched: bool
    running: int
    kept: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The model cannot be loaded; the worker ends."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What one step brought, by request id.

    Texts with the chances of their tokens (see `TokenChance`); ends with reason, new tokens and cached prompt tokens;
    failures; requests that cannot be answered.
    """

    texts: list[tuple[int, str, list[Any]]]
    done: list[tuple[int, Reason, int, int]]
    failed: list[tuple[int, str]]
    refused: list[tuple[int, str]]


Frame = Start | Generate | Cancel | Ready | Refused | Stepped
_KINDS: dict[str, type[Frame]] = {k.__name__: k for k in (Start, Generate, Cancel, Ready, Refused, Stepped)}


def encode(frame: Frame) -> bytes:
    values = {field.name: getattr(frame, field.name) for field in fields(frame)}
    body = json.dumps({"kind": type(frame).__name__, **values}, ensure_ascii=False).encode()
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> Frame:
    values = json.loads(body)
    return _KINDS[values.pop("kind")](**values)


def sampling_of(values: Mapping[str, Any]) -> Sampling:
    """What `asdict` and JSON made of a Sampling."""
    constraint = values["constraint"]
    return Sampling(
        **{
            **values,
            "stop": tuple(values["stop"]),
            "logit_bias": tuple((token, value) for token, value in values["logit_bias"]),
            "constraint": Constraint(**constraint) if constraint else None,
        }
    )
