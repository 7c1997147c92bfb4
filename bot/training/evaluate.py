"""What the trained model can do, measured on dialogues and text it never saw."""

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, Literal

import torch

from bot.training.corpus import Document
from bot.training.data import by_source
from bot.training.dialogues import exchange, render
from bot.training.dialogues.grounded import Exchange, unsure
from bot.training.dialogues.quoting import split_sentences
from bot.training.dialogues.words import Split
from bot.types import Message

Ablation = Literal["none", "no passages", "other passages"]
SPLITS: tuple[Split, ...] = ("train", "templates", "entities")
_NEW_TOKENS = 100
_BATCH = 16


def evaluate(model: Any, tokenizer: Any, *, held: Sequence[Document], items: int, seed: int) -> dict[str, Any]:
    """All figures of the card. `items` questions a split; greedy decoding; `held` are documents kept from training."""
    model.eval()
    figures: dict[str, Any] = {"items": items, "copy_accuracy": copy_accuracy(model, tokenizer, seed=seed)}
    figures["bits_per_byte"] = {
        source: round(bits_per_byte(model, tokenizer, documents[:20]), 3)
        for source, documents in by_source(held).items()
    }
    for split in SPLITS:
        asked = questions(split, items=items, seed=seed)
        right = [e for e in asked if e.kind == "answer"]
        grounded = {
            "questions": len(right),
            "exact_match": _share(answers(model, tokenizer, right, seed=seed), right),
            "most_shared_words": _share([most_shared_words(e) for e in right], right),
        }
        if split == "train":
            for ablation in ("no passages", "other passages"):
                shown = ablate(right, ablation, seed=seed)
                grounded[ablation] = _share(answers(model, tokenizer, shown, seed=seed), right)
        figures[split] = grounded | refusals(asked, answers(model, tokenizer, asked, seed=seed))
    return figures


def questions(split: Split, *, items: int, seed: int) -> list[Exchange]:
    """Grounded questions of a split, from a stream that training does not draw from."""
    random = Random(f"evaluation/{seed}/{split}")  # noqa: S311 - no secret hangs on it
    found: list[Exchange] = []
    while len(found) < items:
        made = exchange(random, split=split)
        if made.kind in ("answer", "unanswerable"):
            found.append(made)
    return found


def ablate(asked: Sequence[Exchange], ablation: Ablation, *, seed: int) -> list[Exchange]:
    """The same questions without passages, or with those of another question: the model must fail then."""
    if ablation == "none":
        return list(asked)
    if ablation == "no passages":
        return [replace(e, passages=()) for e in asked]
    moved = [*asked[1:], *asked[:1]]
    return [replace(e, passages=other.passages) for e, other in zip(asked, moved, strict=True)]


def answers(model: Any, tokenizer: Any, asked: Sequence[Exchange], *, seed: int) -> list[str]:
    """Greedy answers, in order."""
    found: list[str] = []
    prompts = [render(Random(seed + n), e)[:-1] for n, e in enumerate(asked)]  # noqa: S311 - no secret hangs on it
    for start in range(0, len(prompts), _BATCH):
        found += generate(model, tokenizer, prompts[start : start + _BATCH])
    return found


@torch.no_grad()
def generate(model: Any, tokenizer: Any, prompts: Sequence[Sequence[Message]]) -> list[str]:
    chats = [[{"role": m.role, "content": m.text} for m in prompt] for prompt in prompts]
    tokenizer.padding_side = "left"
    inputs = tokenizer.apply_chat_template(
        chats, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt", padding=True
    )
    length = inputs["input_ids"].shape[1]
    out = model.generate(
        input_ids=inputs["input_ids"].to(model.device),
        attention_mask=inputs["attention_mask"].to(model.device),
        max_new_tokens=_NEW_TOKENS,
        do_sample=False,
    )
    texts: list[str] = tokenizer.batch_decode(out[:, length:], skip_special_tokens=True)
    return texts


def refusals(asked: Sequence[Exchange], said: Sequence[str]) -> dict[str, float]:
    """Precision, recall and F1 of saying that the material does not tell."""
    refused = [text.strip() == unsure(e.language) for e, text in zip(asked, said, strict=True)]
    wanted = [e.kind == "unanswerable" for e in asked]
    both = sum(r and w for r, w in zip(refused, wanted, strict=True))
    precision, recall = both / max(1, sum(refused)), both / max(1, sum(wanted))
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    return {
        "refusal_precision": round(precision, 3),
        "refusal_recall": round(recall, 3),
        "refusal_f1": round(f1, 3),
    }


def most_shared_words(asked: Exchange) -> str:
    """The baseline without a model: the passage sentence that shares most words (Chinese: characters) with it."""
    question = _words(asked.question, asked.language)
    lines = [
        (len(question & _words(" ".join((*p.heading, line)), asked.language)), line)
        for p in asked.passages
        for line in split_sentences(p.text, language=asked.language)
    ]
    return max(lines, key=lambda pair: pair[0], default=(0, ""))[1]


@torch.no_grad()
def copy_accuracy(model: Any, tokenizer: Any, *, seed: int, rows: int = 32, length: int = 40) -> float:
    """Share of right next tokens in the second half of random tokens said twice."""
    generator = torch.Generator().manual_seed(seed)
    once = torch.randint(8, len(tokenizer), (rows, length), generator=generator)
    ids = torch.cat([once, once], dim=1).to(model.device)
    guessed = model(input_ids=ids).logits[:, length:-1].argmax(-1)
    return round(float((guessed == ids[:, length + 1 :]).float().mean()), 3)


@torch.no_grad()
def bits_per_byte(model: Any, tokenizer: Any, documents: Sequence[Document]) -> float:
    """Mean code length of the documents' first 400 tokens."""
    bits = 0.0
    size = 0
    for document in documents:
        ids = tokenizer.encode(document.text[:4000], add_special_tokens=False)[:400]
        if len(ids) < 2:
            continue
        tokens = torch.tensor([ids], device=model.device)
        logits = model(input_ids=tokens).logits[0, :-1].float()
        bits += float(torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="sum")) / math.log(2)
        size += len(tokenizer.decode(ids[1:]).encode())
    return bits / max(1, size)


def _share(said: Sequence[str], asked: Sequence[Exchange]) -> float:
    """Share of answers equal to the right one, a leaflet's disclaimer apart."""
    right = sum(text.strip().split("\n")[0] == e.answer for text, e in zip(said, asked, strict=True))
    return round(right / max(1, len(asked)), 3)


def _words(text: str, language: str) -> set[str]:
    return set(text) if language == "zh" else set(text.lower().replace("?", " ").replace(".", " ").split())
