"""Subjects for the evaluation: scripted ones that answer by rule, and a tiny model made on the spot."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.evaluation.questions import Asked
from bot.evaluation.subject import Said
from bot.types import Message
from tests.engine.models import make_folder

Rule = Callable[[str], str]


class Scripted:
    """Answers a prompt's user message by a rule."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def answers(self, prompts: Sequence[Sequence[Message]], *, limit: int, tell: Callable[[int], None]) -> list[Said]:
        tell(len(prompts))
        return [Said(self._rule(prompt[-1].text), tokens=1) for prompt in prompts]


def quoting(asked: Sequence[Asked]) -> Rule:
    """Knows every answer, but gives it only where it stands in the material."""

    def rule(text: str) -> str:
        for each in asked:
            if text.endswith(each.exchange.question) and _bare(each.exchange.answer) in text:
                return each.exchange.answer
        return "That is not in the material."

    return rule


def remembering(asked: Sequence[Asked]) -> Rule:
    """Answers from the question alone, whatever the material says."""
    answers = {each.exchange.question: each.exchange.answer for each in asked if each.answerable}

    def rule(text: str) -> str:
        return next((answer for question, answer in answers.items() if text.endswith(question)), "42 lamps.")

    return rule


def tiny(path: Path, *, seed: int = 0) -> Path:
    """A folder with a model of random weights that says a few senseless words: half of its tokens end an answer."""
    make_folder(path, max_position_embeddings=4096, seed=seed)
    ends = {"eos_token_id": list(range(0, 320, 2))}
    (path / "generation_config.json").write_text(json.dumps(ends), encoding="utf-8")
    return path


def _bare(answer: str) -> str:
    return answer.strip("“”")
