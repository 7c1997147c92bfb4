"""What people write on Slack and Discord, as plain text."""

import pytest
from hypothesis import given

from adapters.shared.markup.incoming import from_discord, from_slack
from adapters.shared.markup.slack import escaped
from tests.adapters_shared.samples import hostile

NAMES = {"U1": "小明", "1": "小红", "2": "管理员", "3": "大厅", "C1": "general"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<@U1> hi", "@小明 hi"),
        ("<@U9>", "@U9"),
        ("<@U9|bob>", "@bob"),
        ("<#C1|random>", "#random"),
        ("<#C1>", "#general"),
        ("<#C1|>", "#general"),
        ("<!here>", "@here"),
        ("<!subteam^S1|@team>", "@team"),
        ("<!subteam^S1>", "@subteam"),
        ("<!date^1^{date}|1 May>", "1 May"),
        ("<https://x.y|label>", "label (https://x.y)"),
        ("<https://x.y>", "https://x.y"),
        ("<https://x.y|https://x.y>", "https://x.y"),
        ("<http://x.y|x.y>", "x.y"),
        ("<https://x.y?a=1&amp;b=2>", "https://x.y?a=1&b=2"),
        ("<mailto:a@b.c|a@b.c>", "a@b.c"),
        ("1 &lt; 2 &amp;amp; 3", "1 < 2 &amp; 3"),
        ("&lt;@U1&gt;", "<@U1>"),
    ],
)
def test_slack_text_is_read(text: str, plain: str) -> None:
    assert from_slack(text, person=NAMES.get, room=NAMES.get) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<@1> <@!1> <@&2> <#3>", "@小红 @小红 @管理员 #大厅"),
        ("<@9>", "@9"),
        ("<:wave:12> <a:dance:13>", ":wave: :dance:"),
        ("<t:1618953630:R> <t:0>", "2021-04-20 21:20 UTC 1970-01-01 00:00 UTC"),
        ("<t:999999999999999>", "<t:999999999999999>"),
        ("</ask persona:5>", "/ask persona"),
        ("a <b> & <@x>", "a <b> & <@x>"),
    ],
)
def test_discord_text_is_read(text: str, plain: str) -> None:
    assert from_discord(text, person=NAMES.get, role=NAMES.get, room=NAMES.get) == plain


@given(hostile)
def test_what_was_escaped_for_slack_is_read_back(text: str) -> None:
    assert from_slack(escaped(text)) == text


@given(hostile)
def test_nothing_written_raises(text: str) -> None:
    from_slack(text)
    from_discord(text)
