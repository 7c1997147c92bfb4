"""What goes into a model and what comes out of it."""

from dataclasses import dataclass
from typing import Literal

from bot.types.conversations import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a prompt."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that did not fit the prompt: `what` is a message id, a passage path, the turn a summary covers, or
    a fact's name; `tokens` its size."""

    kind: Literal["history", "passage", "example", "summary", "fact"]
    what: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How the context was spent, in tokens: `prompt + reserved <= context`; `left_out` is the receipt."""

    context: int
    reserved: int
    prompt: int
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What an answer must match: a JSON schema as JSON, a regular expression, or a grammar in Lark's notation."""

    kind: Literal["json_schema", "regex", "grammar"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to choose tokens. Temperature 0 is greedy; `top_k` 0, `top_p` 1 and `min_p` 0 are off.

    `min_p` leaves out tokens less likely than this share of the likeliest one's chance. `repetition_penalty` divides
    the scores of tokens in prompt and answer, `presence_penalty` is taken from those in the answer, and `logit_bias`
    (token id, value) is added. `logprobs` asks for the log-probability of each token and of so many likeliest ones.
    """

    max_tokens: int = 256
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    min_p: float = 0.0
    presence_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    logprobs: int | None = None
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`conversation` names what it belongs to: prompts of one begin alike, so a place that has read one reads the next
    faster. `adapter` names the fine-tuning of the model that shall answer; None is the model itself."""

    messages: tuple[Message, ...]
    sampling: Sampling
    budget: Budget
    conversation: str | None = None
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class TokenChance:
    """A token of the answer, spelled alone, its natural log-probability, and the likeliest tokens in its place."""

    text: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    """`logprobs` are of the tokens since the last delta, where they were asked for."""

    text: str
    logprobs: tuple[TokenChance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of a generation, with token counts; `cached_tokens` of the prompt were reused."""

    reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    new_tokens: int
    cached_tokens: int = 0


Generated = TextDelta | Finished
