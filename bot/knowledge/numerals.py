"""Numbers in English and Chinese text, in one form: 30, thirty, 三十 and ３０ are the same, so are 1,000 and 1千."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

_TO_NINETEEN = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen"""
_FROM_TWENTY = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: value for value, word in enumerate(_TO_NINETEEN.split())}
_TENS = dict(zip(_FROM_TWENTY.split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "百": 100, "千": 1000, "万": 10**4}
_SCALES["亿"] = 10**8
_HAN_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_TENS = {"十": 10, "百": 100, "千": 1000}

_UNITS: dict[str, str] = {
    form: name
    for name, forms in {
        "minute": "minutes minute mins min 分钟",
        "second": "seconds second secs 秒钟 秒",
        "hour": "hours hour hrs 小时 钟头",
        "day": "days day nights night 工作日 天 日 号",
        "week": "weeks week 星期 周 礼拜",
        "month": "months month 月份 月",
        "year": "years year 周年 年 岁",
        "usd": "dollars dollar usd 美元 美金 $",
        "eur": "euros euro eur 欧元 €",
        "gbp": "pounds gbp 英镑 £",
        "cny": "yuan rmb cny 人民币 元 块 ¥",
        "pct": "percent % ％",
        "g": "grams gram g 克",
        "kg": "kilograms kilogram kilos kg 公斤 千克",
        "ml": "millilitres milliliters ml 毫升",
        "l": "litres liters litre liter 升",
        "mm": "millimetres millimeters mm 毫米",
        "cm": "centimetres centimeters cm 厘米",
        "m": "metres meters metre meter 米",
        "km": "kilometres kilometers km 公里 千米",
        "degree": "degrees degree °c °f ° 摄氏度 度",
        "watt": "watts watt w 瓦",
    }.items()
    for form in forms.split()
}
_UNIT_ALTERNATIVES = "|".join(
    re.escape(form) + (r"(?![a-z])" if form.isascii() and form.isalpha() else "")
    for form in sorted(_UNITS, key=len, reverse=True)
)
_MEASURES = "个位次件种条只盏把本页杯片粒口颗层楼倍成折人名家门块步点句段章节遍项"
_UNIT = re.compile(rf"[\s-]?(?:working |business |calendar )?个?({_UNIT_ALTERNATIVES})")
_MEASURED = re.compile(rf"\s?(?:个?(?:{_UNIT_ALTERNATIVES})|[{_MEASURES}])")
_COUNTED_ON = re.compile(r"[到至~—–-][零一二两三四五六七八九十\d]")
_WORD_NUMBER = "|".join([*sorted(_SMALL, key=len, reverse=True), *_TENS])
_HAN_NUMBER = "[零〇一二三四五六七八九十百千万两]"
_NUMBER = re.compile(
    rf"""
      (?P<clock>(?:(?P<pm>下午|晚上|傍晚|晚)|上午|早上)?\s?(?<![a-z\d_.])(?P<hour>\d{{1,2}})
        (?:[:：](?P<minutes>\d{{2}})(?!\d)|\s?点(?!\d))(?P<after>半|\d{{1,2}}\s?分)?(?:\s?(?P<half>[ap])\.?m\b)?)
    | (?P<short>(?<![a-z\d_.])(?P<shorthour>\d{{1,2}})\s?(?P<shorthalf>[ap])\.?m\b)
    | (?P<fraction>(?<![a-z\d_.])(?P<upper>\d+)\s?[/⁄]\s?(?P<lower>\d+)(?![\d/]))
    | (?P<hanfraction>(?P<hanlower>{_HAN_NUMBER}+|\d+)分之(?P<hanupper>{_HAN_NUMBER}+|\d+))
    | (?P<digits>(?<![a-z\d_])\d{{1,3}}(?:[, ’']\d{{3}})+(?:\.\d+)?(?![\d])|(?<![a-z\d_])\d+(?:[.,]\d+)?)
      (?P<scale>\s?(?:[万亿千百]|thousand\b|million\b|billion\b))?
    | (?P<words>\b(?:{_WORD_NUMBER}|hundred(?=\s))(?:[\s-](?:and\s)?(?:{_WORD_NUMBER}|hundred|thousand|million))*\b)
    | (?P<han>{_HAN_NUMBER}+)
    """,
    re.VERBOSE,
)
_RANGE = re.compile(rf"[\s-]?(?:个?(?:{_UNIT_ALTERNATIVES}))?\s?(?:to|until|till|[-–—~〜]|至|到)\s?[$€£¥]?\s?")
_BETWEEN = re.compile(r"\bbetween\s$")
_AND = re.compile(rf"\s?(?:{_UNIT_ALTERNATIVES})?\s?and\s[$€£¥]?")
_MONEY_BEFORE = re.compile(r"([$€£¥])\s?$")
_NOT_NUMBERS = ("千万别", "千万不", "千万要", "万一", "一百个放心", "七七八八")


@dataclass(frozen=True, slots=True)
class Number:
    """A number's `value` in one canonical form, its unit where one follows, and how it was written.

    "7 to 9 hours" is one number, a range, with two `ends`.
    """

    value: str
    unit: str | None
    written: str
    start: int
    end: int
    ends: "tuple[Number, ...]" = ()


def numbers(text: str) -> list[Number]:
    """The numbers of a normalised (NFKC) text in order.

    A lone "one" or 一 counts only with a unit, other Chinese numerals only with a unit, a measure word or two signs.
    """
    found: list[Number] = []
    lowered = text.lower()
    for number in _single(text, lowered):
        before = found[-1] if found and not found[-1].ends else None
        if before is not None and _spans(lowered, before, number):
            unit = number.unit or before.unit
            ends = (replace(before, unit=before.unit or unit), replace(number, unit=unit))
            written = text[before.start : number.end]
            found[-1] = Number(f"{before.value}–{number.value}", unit, written, before.start, number.end, ends)
        else:
            found.append(number)
    return found


def _spans(text: str, before: Number, number: Number) -> bool:
    """Whether only a range's own words stand between two numbers."""
    if lead := _BETWEEN.search(text, max(0, before.start - 10), before.start):
        return lead.end() == before.start and _AND.fullmatch(text, before.end, number.start) is not None
    return _RANGE.fullmatch(text, before.end, number.start) is not None


def states(said: Sequence[Number], number: Number) -> bool:
    """Whether a text that says these numbers also says this one, in its unit.

    A number without a unit fits any; but a text that gives numbers in that unit must give this one in it. A range must
    be said as that range where the text has ranges.
    """
    alike = [each for each in said if number.unit is None or each.unit in (None, number.unit)]
    if number.ends:
        ranges = [each for each in alike if each.ends]
        return any(each.value == number.value for each in ranges) or (
            not ranges and all(states(said, end) for end in number.ends)
        )
    single = [part for each in alike for part in (each, *each.ends)]
    if number.unit is not None and any(each.unit == number.unit for each in single):
        single = [each for each in single if each.unit == number.unit]
    return any(each.value == number.value for each in single)


def _single(text: str, lowered: str) -> Iterator[Number]:
    for match in _NUMBER.finditer(lowered):
        value = _value(match, lowered)
        if value is None:
            continue
        unit = _unit(lowered, match)
        if value == "1" and unit is None and (match["words"] or match["han"]):
            continue
        if match["hanfraction"] and match["hanlower"] in ("百", "100"):
            unit = "pct"
        yield Number(value, unit, text[match.start() : match.end()].strip(), match.start(), match.end())


def _unit(text: str, match: re.Match[str]) -> str | None:
    if match["clock"] or match["short"]:
        return None
    before = _MONEY_BEFORE.search(text, max(0, match.start() - 2), match.start())
    if before:
        return _UNITS[before[1]]
    after = _UNIT.match(text, match.end())
    return _UNITS[after[1]] if after else None


def _value(match: re.Match[str], text: str) -> str | None:
    if match["clock"]:
        after = "30" if match["after"] == "半" else (match["after"] or "0").rstrip(" 分")
        minutes = match["minutes"] or after
        return _clock(int(match["hour"]), int(minutes), pm=bool(match["pm"]) or match["half"] == "p")
    if match["short"]:
        return _clock(int(match["shorthour"]), 0, pm=match["shorthalf"] == "p")
    if match["fraction"]:
        return f"{int(match['upper'])}/{int(match['lower'])}"
    if match["hanfraction"]:
        lower, upper = _plain(match["hanlower"]), _plain(match["hanupper"])
        return str(upper) if lower == 100 else f"{upper}/{lower}"
    if match["digits"]:
        digits = re.sub(r"[,’' ](?=\d{3}(?!\d))", "", match["digits"]).replace(",", ".")
        scale = _SCALES[match["scale"].strip()] if match["scale"] else 1
        return format((Decimal(digits) * scale).normalize(), "f")
    if match["words"]:
        return str(_english(match["words"]))
    return _han_value(match, text)


def _clock(hour: int, minutes: int, *, pm: bool) -> str:
    hour += 12 if pm and hour < 12 else 0
    return f"{hour}:{minutes:02}" if minutes else str(hour)


def _han_value(match: re.Match[str], text: str) -> str | None:
    written = match["han"]
    if any(text.startswith(word, match.start()) for word in _NOT_NUMBERS) or not set(written) - set("百千万"):
        return None
    measured = _MEASURED.match(text, match.end()) or _COUNTED_ON.match(text, match.end())
    counted = len(written) > 1 and (set(written) & set("十百千万") or len(set(written)) > 1)
    if written == "十" and not measured:
        return None
    return str(_plain(written)) if measured or counted else None


def _plain(written: str) -> int:
    """The value of digits or of a Chinese numeral: 三十五, 二〇二四, 一千二."""
    if written.isdigit() and written.isascii():
        return int(written)
    if not set(written) & set("十百千万"):
        return int("".join(str(_HAN_DIGITS[character]) for character in written))
    total, part, digit = 0, 0, 0
    for character in written:
        if character == "万":
            total, part, digit = (total + part + digit or 1) * 10**4, 0, 0
        elif character in _HAN_TENS:
            part, digit = part + (digit or 1) * _HAN_TENS[character], 0
        else:
            digit = _HAN_DIGITS[character]
    return total + part + digit


def _english(written: str) -> int:
    total, part = 0, 0
    for word in re.split(r"[\s-]+", written):
        if word == "hundred":
            part = (part or 1) * 100
        elif word in ("thousand", "million"):
            total, part = total + (part or 1) * _SCALES[word], 0
        elif word != "and":
            part += _SMALL.get(word, _TENS.get(word, 0))
    return total + part
