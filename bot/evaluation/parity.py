"""Group 6: does what is shipped say what was trained, and how fast is it?"""

import copy
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from bot.evaluation.grounded import LIMIT
from bot.evaluation.measures import Measured, Tell
from bot.evaluation.questions import questions
from bot.evaluation.statistics import mean, rate
from bot.evaluation.subject import Subject
from bot.types import Message

_LOGITS = 24  # prompts whose every logit is compared
_SPEED_TOKENS = 64


def parity(subject: Subject, *, items: int, trained: Subject | None, tell: Tell) -> Measured:
    """bfloat16 and int8 against the trained weights, or where those are not given against the folder's own in float32.

    int8: each matrix rounded to 255 steps, row by row, and calculated with in float32, so only the loss of precision is
    measured, not a kernel's speed.
    """
    asked = [each.prompt for each in questions("train", items=items, seed=0)][:items]
    reference = trained or subject.with_model(_as(subject.model, torch.float32), name="float32")
    truth = [said.text for said in reference.answers(asked, limit=LIMIT, tell=tell)]
    ids = [reference.chat.encode(prompt)[: reference.context] for prompt in asked[:_LOGITS]]
    logits = [reference.logits(each) for each in ids]
    figures: dict[str, Any] = {
        "reference": "the trained weights" if trained else "the folder's own weights in float32",
        "prompts": len(asked),
        "variants": {},
    }
    variants = {
        "bfloat16": _as(subject.model, torch.bfloat16),
        "int8": _rounded(_as(subject.model, torch.float32)),
    }
    for name, model in variants.items():
        other = subject.with_model(model, name=name)
        said = other.answers(asked, limit=LIMIT, tell=tell)
        figures["variants"][name] = {
            "same_answers": rate(sum(s.text == t for s, t in zip(said, truth, strict=True)), len(truth)).plain(),
            **_apart(logits, [other.logits(each) for each in ids]),
        }
    figures["speed"] = speed(subject, asked)
    return Measured(figures=figures)


def speed(subject: Subject, prompts: Sequence[Sequence[Message]]) -> Mapping[str, Any]:
    """Tokens a second on this machine as it is now, prompts read included: one conversation, and many at once."""
    found: dict[str, Any] = {"load_seconds": round(subject.seconds, 2), "threads": torch.get_num_threads()}
    for title, some in (("one", prompts[:4]), ("many", prompts)):
        rates = []
        for batch in [[p] for p in some] if title == "one" else [some]:
            began = time.perf_counter()
            said = subject.answers(batch, limit=_SPEED_TOKENS)
            rates.append(sum(s.tokens for s in said) / max(1e-9, time.perf_counter() - began))
        found[f"tokens_per_second_{title}"] = round(sum(rates) / len(rates), 1)
    found["at_once"] = len(prompts)
    return found


def _apart(truth: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> dict[str, Any]:
    gaps = [(a - b).abs() for a, b in zip(truth, other, strict=True)]
    agree = [float((a.argmax(-1) == b.argmax(-1)).float().mean()) for a, b in zip(truth, other, strict=True)]
    return {
        "max_logit_error": round(max(float(gap.max()) for gap in gaps), 4),
        "mean_logit_error": round(sum(float(gap.mean()) for gap in gaps) / len(gaps), 5),
        "same_next_token": mean(agree).plain(),
    }


def _as(model: Any, dtype: torch.dtype) -> Any:
    return copy.deepcopy(model).to(dtype)


@torch.no_grad()
def _rounded(model: Any) -> Any:
    """Every matrix of two dimensions but the embeddings, in place, on a grid of 255 steps a row."""
    embeddings = {id(model.get_input_embeddings().weight)}
    for parameter in model.parameters():
        if parameter.dim() == 2 and id(parameter) not in embeddings:
            step = parameter.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127
            parameter.copy_((parameter / step).round().clamp(-127, 127) * step)
    return model
