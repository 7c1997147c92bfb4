"""Texts as language models write them, and pieces from which hypothesis makes worse ones."""

from hypothesis import strategies as st

ANSWER = """# 快速开始 *now*

**重点**是：中文**加粗：**后面，_it_ ~~no~~ `a<b && c` <!channel> snake_case @everyone <@123> &amp;
next **line
two** end\\*

- [ ] todo with [a link](https://example.org/@here?a=1&b=2)
- [x] done **b**
  1. sub
     > quoted <#5>
  2. sub2
- code:
  ```python
  print("<@U1>", "@here") # `
  ```

> quote **q**
> > nested <@&7>

| 名字 | n |
|---|--:|
| 苹果 🍎 | 1 |
| **b** [x](https://a.b) | 22 |

---
![img](https://e.org/i.png) [m](mailto:a@b.c) [j](javascript:alert(1)) <https://auto.example> <b>html</b>
"""

HOSTILE = [
    "<!channel>", "<!here>", "<!everyone>", "<@U123>", "<!subteam^S1>", "<@123>", "<@!123>",
    "<@&123>", "<#123>", "@everyone", "@here", "@", "<", ">", "everyone", "here", "!channel",
    "&lt;", "&#60;", "&#64;", "\\", "\\@", "`", "``", "```\n", "```", "**", "*", "_", "~~", "[",
    "](", ")", "](https://x.example/@everyone)", "](<https://x|<!here>>)", "| ", "\n", "\n\n",
    "|---|\n", "- ", "1. ", "> ", "# ", "    ", " ", "重点", "：", "😀", "\u200b", "mailto:a@b.c",
    "https://x.example/<@1>", "123", "U1|", "<https://a|b>",
]  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=4)), max_size=30).map("".join)
