"""Persona, passages and history become a Prompt that fits the token budget and says what it left out.

The persona's text comes first and is byte-stable, the rest is appended in the order of time, so that a prefix
cache holds from turn to turn. The training data is rendered by the same functions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.errors import PromptTooLong
from bot.types import Budget, LeftOut, Message, Passage, Persona, Prompt, Sampling, StoredMessage

Count = Callable[[Sequence[Message]], int]

_WORDS: Mapping[str, tuple[str, str]] = {"en": ("Material:", "Question:"), "zh": ("资料：", "问题：")}


def render_system(persona: Persona, *, language: str, user: str, now: datetime) -> str:
    """The system message: instructions with placeholders filled in, then the style rules, one a line."""
    text = persona.instructions.pick(language).strip()
    values = {
        "persona.title": persona.title.pick(language),
        "user.name": user,
        "date": now.strftime("%Y-%m-%d"),
        "time": now.strftime("%H:%M"),
    }
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    return "\n".join((text, *persona.style))


def render_question(question: str, passages: Sequence[Passage], *, language: str) -> str:
    """The user message: numbered passages under their headings, then the question; the bare question without any."""
    if not passages:
        return question
    material, ask = _WORDS["zh" if language.lower().startswith("zh") else "en"]
    blocks = [f"[{number}] {' > '.join(p.heading)}\n{p.text}" for number, p in enumerate(passages, start=1)]
    return "\n".join((material, *blocks)) + f"\n\n{ask} {question}"


def build(
    persona: Persona,
    *,
    question: str,
    passages: Sequence[Passage],
    history: Sequence[StoredMessage],
    language: str,
    user: str,
    now: datetime,
    context: int,
    count: Count,
) -> Prompt:
    """The prompt for one turn, of at most `context` minus the reserved answer tokens, counted by `count`.

    Instructions and question always stay; where room is short the oldest history goes first, then examples, then
    the least relevant passages. Raises PromptTooLong where instructions and question alone do not fit.
    """
    reserved = min(persona.sampling.max_tokens, context // 2)
    room = context - reserved
    system = Message(role="system", text=render_system(persona, language=language, user=user, now=now))
    examples = [
        pair
        for e in persona.examples
        for pair in (Message(role="user", text=e.user), Message(role="assistant", text=e.assistant))
    ]
    past = [Message(role=m.role, text=m.text) for m in history]
    kept = list(passages)
    left_out: list[LeftOut] = []

    def assemble() -> tuple[Message, ...]:
        ask = Message(role="user", text=render_question(question, kept, language=language))
        return (system, *examples, *past, ask)

    past_tokens = count(past) if past else 0
    first = 0
    while first < len(history) and past_tokens > persona.history_tokens:
        first, past_tokens = _drop_turn(history, first, past, left_out, count)
    total = count(assemble())
    while total > room:
        if past:
            first, _ = _drop_turn(history, first, past, left_out, count)
        elif examples:
            gone = examples[-2:]
            del examples[-2:]
            left_out.append(LeftOut(kind="example", what=gone[0].text[:40], tokens=count(gone)))
        elif kept:
            passage = kept.pop()
            size = count([Message(role="user", text=passage.text)])
            left_out.append(LeftOut(kind="passage", what=passage.path, tokens=size))
        else:
            raise PromptTooLong(prompt_tokens=total, context=room)
        total = count(assemble())
    sampling: Sampling = replace(persona.sampling, max_tokens=reserved)
    budget = Budget(context=context, reserved=reserved, prompt=total, left_out=tuple(left_out))
    return Prompt(messages=assemble(), sampling=sampling, budget=budget)


def _drop_turn(
    history: Sequence[StoredMessage], first: int, past: list[Message], left_out: list[LeftOut], count: Count
) -> tuple[int, int]:
    """Drop the oldest turn of the window, whole, so that no answer stands without its question."""
    turn = history[first].turn
    while past and history[first].turn == turn:
        gone = past.pop(0)
        left_out.append(LeftOut(kind="history", what=history[first].id, tokens=count([gone])))
        first += 1
        if first == len(history):
            break
    return first, count(past) if past else 0
