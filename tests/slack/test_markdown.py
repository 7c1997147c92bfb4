"""What a model writes in Markdown, as people see it where Slack takes no streams."""

import pytest

from bot.testing import ScriptedEngine
from storage.sql import SqlStore
from tests.slack.house import serving
from tests.slack.platform import Message, SlackPlatform

RECIPE = """# Pancakes & <syrup>

Mix **flour**, *milk* and ~~sugar~~ `salt`; see [the recipe](https://example.org/pancakes?a=1&b=2).

## Steps

1. whisk
2. fry
   - hot pan
   - *little* butter

- [x] eggs
- [ ] milk

> Grandmother said: **patience**.
"""
RECIPE_SEEN = """*Pancakes &amp; &lt;syrup&gt;*

Mix *flour*, _milk_ and ~sugar~ `salt`; see <https://example.org/pancakes?a=1&amp;b=2|the recipe>.

*Steps*

1. whisk
2. fry
    • hot pan
    • _little_ butter

☑ eggs
☐ milk

> Grandmother said: *patience*."""

CODE = """Run this:

```python
if a < b and c > d:
    print("&", *args, **options)
```

and *that* is `a < b` all."""
CODE_SEEN = """Run this:

```
if a &lt; b and c &gt; d:
    print("&amp;", *args, **options)
```

and _that_ is `a &lt; b` all."""

TABLE = """| Name | Period in years |
|------|-------:|
| Halley | 76 |
| **恩克** | 3.3 |

两颗**著名**的彗星。"""
TABLE_SEEN = """```
Name   | Period in years
-------+----------------
Halley |              76
恩克   |             3.3
```

两颗\u200b*著名*\u200b的彗星。"""


async def seen(slack: SlackPlatform, store: SqlStore, markdown: str) -> list[Message]:
    slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    async with serving(slack, store, engine=ScriptedEngine(markdown)):
        ts = await slack.say(ann, dm, "hello")
        await slack.until(lambda: any(reply.blocks for reply in slack.answers(dm, ts)))
        return slack.answers(dm, ts)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [(RECIPE, RECIPE_SEEN), (CODE, CODE_SEEN), (TABLE, TABLE_SEEN)],
    ids=["headings, lists, links and quotations", "code", "tables and Chinese"],
)
async def test_whole_answers(slack: SlackPlatform, store: SqlStore, markdown: str, shown: str) -> None:
    [reply] = await seen(slack, store, markdown)
    assert reply.text == shown
    assert reply.blocks[0]["text"] == {"type": "mrkdwn", "text": shown}


async def test_a_long_answer_is_cut_into_messages_that_each_close_their_code(
    slack: SlackPlatform, store: SqlStore
) -> None:
    lines = [f"print({number})" for number in range(600)]
    replies = await seen(slack, store, "Run:\n\n```python\n" + "\n".join(lines) + "\n```\n\nDone.")
    assert len(replies) > 1
    assert all(reply.text.count("```") == 2 for reply in replies)
    code = [line for reply in replies for line in reply.text.splitlines() if line.startswith("print")]
    assert code == lines
    assert replies[-1].text.endswith("Done.")
    assert [bool(reply.blocks) for reply in replies] == [False] * (len(replies) - 1) + [True]
