"""A small bilingual shop to search in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.types import KnowledgeSource, LocalText, Passage, Persona

RETURNS = """# Returns

## Return period
You can return an item within 30 days of delivery. It must be unused and in its original box.

## Cost of a return
A return costs $3.50, which we take off the refund.
"""
WARRANTY = """# Warranty

## Warranty on lamps
The warranty on lamps is 24 months from the day of delivery. It does not cover bulbs.

## Warranty on umbrellas
The warranty on umbrellas is 60 months, because we make them ourselves.
"""
DELIVERY = """# Delivery

## Standard delivery
Standard delivery takes 3 to 5 working days and costs $4.90.

## Delivery abroad
Delivery abroad takes 7 to 10 working days and costs $19.
"""
QUESTIONS = """- question: Which ways to pay do you accept?
  also: [Can I pay by credit card?]
  answer: You can pay by credit card, bank transfer or gift card.
"""
HOURS = (
    'question,answer\nWhen is the shop open?,"Monday to Friday from 9:30 to 18:30. On Sundays the shop is closed."\n'
)
RETURNS_ZH = """# 退货与退款

## 退货期限
收到货后 30 天内可以退货。商品须未使用，并带原包装盒。

## 退货运费
退货运费为 3.5 美元，从退款中扣除。
"""
WARRANTY_ZH = """# 保修

## 台灯的保修
台灯的保修期是 24 个月，从送达当天算起。灯泡不在保修范围内。

## 雨伞的保修
雨伞的保修期是 60 个月，因为雨伞是我们自己做的。
"""


def write_shop(folder: Path) -> Path:
    for name, text in {
        "en/returns.md": RETURNS,
        "en/warranty.md": WARRANTY,
        "en/delivery.md": DELIVERY,
        "en/payment.yaml": QUESTIONS,
        "en/hours.csv": HOURS,
        "zh/returns.md": RETURNS_ZH,
        "zh/warranty.md": WARRANTY_ZH,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def make_persona(folder: Path | None = None, **changes: Any) -> Persona:
    source = () if folder is None else (KnowledgeSource(path=folder, label="kb/shop", top_k=3),)
    fields: dict[str, Any] = {
        "name": "shop",
        "version": "1",
        "title": LocalText({"en": "The shop", "zh-CN": "小店"}),
        "description": "Answers questions about the shop.",
        "languages": ("en", "zh-CN"),
        "instructions": LocalText({"en": "Answer from the material only.", "zh-CN": "只根据资料回答。"}),
        "knowledge": source,
        "grounded": "require",
        "when_unsure": LocalText(
            {"en": "I could not find that. Write to help@shop.example.", "zh-CN": "没有找到答案。"}
        ),
        "greeting": LocalText({"en": "Welcome to the shop!", "zh-CN": "欢迎光临！"}),
    }
    return Persona(**(fields | changes))


def passage(text: str, *heading: str, score: float = 1.0, answer: str | None = None) -> Passage:
    return Passage(id=text[:10], text=text, path="kb/x.md", heading=heading or ("Title",), answer=answer, score=score)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop")


@pytest.fixture
def persona() -> Callable[..., Persona]:
    return make_persona
