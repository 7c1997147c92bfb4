"""Markdown in the dialects of Slack and Discord: what it looks like, and that it pings nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.shared.markup import discord, slack
from adapters.shared.markup.partial import complete
from tests.adapters_shared.samples import ANSWER, hostile

SPACE = "\u200b"
DISCORD_PING = re.compile(r"@everyone|@here|<@[!&]?\d+>|<#\d+>", re.IGNORECASE)
SLACK_PING = re.compile(r"<(?!(?:https?://|mailto:)[^<>|]+\|[^<>]*>)", re.IGNORECASE)


def test_the_oracles_see_pings() -> None:
    assert all(map(DISCORD_PING.search, ["a @everyone", "`@here`", "<@1>", "<@!1>", "<@&1>", "<#1>"]))
    assert all(map(SLACK_PING.search, ["<!channel>", "`<@U1>`", "<#C1|x>", "a <!subteam^S1>"]))
    assert not SLACK_PING.search("<https://example.org|x> <mailto:a@b.c|y> &lt;!here&gt;")


@given(hostile)
def test_nothing_in_a_text_pings_on_slack(text: str) -> None:
    assert not SLACK_PING.search(slack.render(text))


@given(hostile)
def test_nothing_in_a_text_pings_on_discord(text: str) -> None:
    assert not DISCORD_PING.search(discord.render(text))


@pytest.mark.parametrize("url", ["https://x|<!here>", "https://x>", "https://x y", "<!here>", "mailto:<@U1>"])
def test_an_address_that_would_end_a_link_on_slack_is_text(url: str) -> None:
    assert "<" not in slack.Slack().link("label", url)


@given(hostile)
def test_a_text_that_is_not_blank_is_rendered_not_blank(text: str) -> None:
    if text.replace(SPACE, "").strip():
        assert slack.render(text).strip()
        assert discord.render(text).strip()
        assert complete(text).strip()


def test_every_prefix_of_an_answer_is_rendered_and_pings_nobody() -> None:
    for end in range(len(ANSWER) + 1):
        for text in (ANSWER[:end], complete(ANSWER[:end])):
            assert not SLACK_PING.search(slack.render(text))
            assert not DISCORD_PING.search(discord.render(text))


@pytest.mark.parametrize(
    "text", [">" * 400, "- " * 300, "[" * 3000, "*" * 3000, "`" * 3000, "_a" * 2000, "![" * 1500, "|" * 3000]
)
def test_absurd_texts_are_borne(text: str) -> None:
    assert slack.render(text)
    assert discord.render(text)
    assert complete(text)


@pytest.mark.parametrize("nest", ["> ", "- ", ">", "1. "])
def test_what_is_nested_absurdly_deep_is_not_lost(nest: str) -> None:
    for depth in range(1, 130, 3):
        assert slack.render(nest * depth + "x").endswith("x")
        assert discord.render(nest * depth + "x").endswith("x")


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("# 标题", "*标题*"),
        ("**bold** _it_ ~~gone~~", "*bold* _it_ ~gone~"),
        ("***both***", "_*both*_"),
        ("**重点**是", f"*重点*{SPACE}是"),
        ("这是**重点**，好", f"这是{SPACE}*重点*{SPACE}，好"),
        ("**重点：**是", f"*重点：*{SPACE}是"),
        ("**“引用”**是", f"*“引用”*{SPACE}是"),
        ("(**a**), **b**.", "(*a*), *b*."),
        ("运行`ls`吧", f"运行{SPACE}`ls`{SPACE}吧"),
        ("**one\ntwo**", "*one*\n*two*"),
        ("**a [b](https://c.d) e**", "*a <https://c.d|b> e*"),
        ("[a & b](https://x.y/?a=1&b=2)", "<https://x.y/?a=1&amp;b=2|a &amp; b>"),
        ("[a](javascript:x)", "[a](javascript:x)"),
        ("[a](ftp://x.y)", "a (ftp://x.y)"),
        ("![cat](https://x.y/c.png)", "<https://x.y/c.png|cat>"),
        ("`<@U1> & co`", "`&lt;@U1&gt; &amp; co`"),
        ("```py\na < b\n```", "```\na &lt; b\n```"),
        ("````\n```\n````", f"```\n`{SPACE}`{SPACE}`\n```"),
        ("- a\n  - b\n- [x] c", "• a\n    • b\n☑ c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("> a\n> b", "> a\n> b"),
        ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
        ("[1]: https://x.y", "[1]: https://x.y"),
        ("| 名字 | n |\n|---|--:|\n| 苹果 | 10 |", "```\n名字 |  n\n-----+---\n苹果 | 10\n```"),
        ("@channel stays", "@channel stays"),
    ],
)
def test_slack_gets_its_mrkdwn(markdown: str, expected: str) -> None:
    assert slack.render(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("## 标题", "## 标题"),
        ("#### deep", "**deep**"),
        ("**重点：**是", "**重点：**是"),
        ("**a***b*", f"**a**{SPACE}*b*"),
        (r"2\*3\*4 and \_x\_", r"2\*3\*4 and \_x\_"),
        ("snake_case_name", "snake_case_name"),
        ("https://x.y/a_b_*c", "https://x.y/a_b_*c"),
        (r"\# no heading", r"\# no heading"),
        (r"1986\. A year", r"1986\. A year"),
        (r"\> no quote", r"\> no quote"),
        ("[t](https://x.y/(a))", "[t](https://x.y/%28a%29)"),
        ("[https://bank.example](https://evil.example)", "https://bank.example (https://evil.example)"),
        ("<https://x.y>", "https://x.y"),
        ("[m](mailto:a@b.c)", "m (a@b.c)"),
        ("![](https://x.y/c.png)", "https://x.y/c.png"),
        ("||no spoiler||", r"\|\|no spoiler\|\|"),
        ("``a`b``", f"``{SPACE}a`b{SPACE}``"),
        ("```py\n@everyone\n```", f"```py\n@{SPACE}everyone\n```"),
        ("@**everyone**", "@**everyone**"),
        ("&#64;everyone", f"@{SPACE}everyone"),
        ("https://x.y/@here", "https://x.y/%40here"),
        ("- a\n  - b\n\n1. c\n   - d", "- a\n  - b\n\n1. c\n   - d"),
        ("> a\n> ```\n> b\n> ```", "> a\n> \n> ```\n> b\n> ```"),
        ("<i>x</i>", "<i>x</i>"),
    ],
)
def test_discord_gets_its_markdown(markdown: str, expected: str) -> None:
    assert discord.render(markdown) == expected


def test_a_wide_table_is_not_padded() -> None:
    rendered = discord.render(f"| a | b |\n|---|---|\n| {'x' * 200} | y |\n| z | w |")
    assert "\nz | w\n" in rendered


@given(st.text("ab*_~[])<>|#->! \n重点", max_size=40))
def test_no_word_is_lost_in_either_dialect(text: str) -> None:
    for character in "ab重点":
        assert slack.render(text).count(character) >= text.count(character)
        assert discord.render(text).count(character) >= text.count(character)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **b", "a **b**"),
        ("a **b*", "a **b**"),
        ("a **", "a"),
        ("a **b **", "a **b**"),
        ("`co", "`co`"),
        ("``co`", "``co``"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("```py\nx = 1\n``", "```py\nx = 1\n```"),
        ("```py\nx\n```", "```py\nx\n```"),
        ("see [g](htt", "see g"),
        ("see [g", "see g"),
        ("see [g](https://x.y)", "see [g](https://x.y)"),
        ("**a [b](c", "**a b**"),
        ("**a *b", "**a *b***"),
        ("2 * 3", "2 * 3"),
        ("* item", "* item"),
        ("a **b\n\nc", "a **b\n\nc"),
        ("**", "**"),
        ("`a` **b", "`a` **b**"),
        (r"\*\*a", r"\*\*a"),
        ("`**a` b", "`**a` b"),
    ],
)
def test_an_unfinished_text_is_closed_for_display(text: str, shown: str) -> None:
    assert complete(text) == shown


@given(hostile)
def test_completing_a_text_adds_no_words_and_pings_nobody(text: str) -> None:
    best = complete(text)
    assert len(re.findall(r"\w", best)) <= len(re.findall(r"\w", text))
    assert not DISCORD_PING.search(discord.render(best))
    assert not SLACK_PING.search(slack.render(best))
