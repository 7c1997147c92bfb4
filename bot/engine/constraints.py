"""Answers that must match a JSON schema, a regular expression or a grammar, by llguidance. Runs in the worker."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bot.errors import RequestRefused
from bot.types import Constraint

_LONGEST = 64 * 1024
_FUEL = 100_000
"""Steps of llguidance's lexer: with more, one expression like (a{1000}){1000} holds up everyone for seconds."""


class Matcher:
    """Follows one answer and knows which tokens may come next. `fault` says why it cannot go on."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self.fault: str | None = None

    @property
    def over(self) -> bool:
        """Whether it matches and nothing more can follow."""
        return bool(self._matcher.is_stopped() and not self._matcher.is_error())

    def allowed(self) -> bytes:
        """A byte per token, not 0 where it may come next; after a fault none may."""
        found = bytes(self._matcher.compute_logit_bias())
        if self._matcher.is_error():
            self.fault = f"the constraint cannot be followed any further: {_line(self._matcher.get_error())}"
            return bytes(len(found))
        return found

    def take(self, token: int) -> None:
        self._matcher.consume_token(token)


class Constraints:
    """Makes matchers for one tokenizer, which is read when the first one is asked for."""

    def __init__(self, tokenizer: Path, *, ends: Collection[int]) -> None:
        self._path = tokenizer
        self._ends = sorted(ends)
        self._tokenizer: Any = None

    def matcher(self, constraint: Constraint) -> Matcher:
        """Raises RequestRefused for what is no schema, expression or grammar, and where llguidance is missing."""
        try:
            import llguidance  # noqa: PLC0415 - few requests need it, and the engine runs without it
        except ImportError as error:
            raise RequestRefused("a constraint needs the package llguidance; pip install llguidance") from error
        if len(constraint.text) > _LONGEST:
            raise RequestRefused(f"the constraint is {len(constraint.text)} characters long; at most {_LONGEST} are")
        if self._tokenizer is None:
            self._tokenizer = self._read(llguidance)
        limits = llguidance.LLParserLimits(initial_lexer_fuel=_FUEL, step_lexer_fuel=_FUEL, verbose_errors=False)
        grammar = _grammar(llguidance.LLMatcher, constraint)
        made = llguidance.LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)
        made.compute_logit_bias()  # some faults show only here
        if made.is_error():
            raise RequestRefused(f"the {constraint.kind} is not valid or too large: {_line(made.get_error())}")
        return Matcher(made)

    def _read(self, llguidance: Any) -> Any:
        try:
            return llguidance.LLTokenizer(self._path.read_text(encoding="utf-8"), eos_token=self._ends or None)
        except Exception as error:  # whatever it does not like in a tokenizer
            raise RequestRefused(f"answers of this model cannot be constrained: {_line(error)}") from error


def _grammar(matcher: Any, constraint: Constraint) -> str:
    if constraint.kind == "regex":
        return str(matcher.grammar_from_regex(constraint.text))
    if constraint.kind == "grammar":
        return str(matcher.grammar_from_lark(constraint.text))
    try:
        schema = json.loads(constraint.text)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(f"the json_schema is not valid JSON: {_line(error)}") from error
    if not isinstance(schema, dict):
        raise RequestRefused("the json_schema is no JSON object")
    return str(matcher.grammar_from_json_schema(schema, overrides={"whitespace_pattern": " ?"}))


def _line(error: object) -> str:
    return " ".join(str(error).split())[:300]
