"""Strings that would run a script or ask another host for something, if a renderer let them."""

from collections.abc import Iterator

ALERT = "window.__hit=1"

SCHEMES = [
    "javascript:{js}", "JaVaScRiPt:{js}", "java\tscript:{js}", "java&#10;script:{js}", "&#106;avascript:{js}",
    "&#x6A;avascript&colon;{js}", "javascript&#58;{js}", "\x01javascript:{js}", " javascript:{js}",
    "vbscript:msgbox(1)", "data:text/html,<script>{js}</script>", "data:text/html;base64,PHNjcmlwdD4=",
    "data:image/svg+xml,<svg onload='{js}'>", "blob:{canary}", "file:///etc/passwd", "filesystem:{canary}",
    "//javascript:{js}", "javascript://%0a{js}", "feed:javascript:{js}", "view-source:{canary}",
    "jar:{canary}!/", "ws://127.0.0.1/", "tel:+1", "intent:x#Intent;end", "\\javascript:{js}", "../evil",
]  # fmt: skip

LINKS = [
    "[a]({url})", "[a](<{url}>)", '[a]({url} "t")', "![a]({url})", "<{url}>", "[a][r]\n\n[r]: {url}",
    "[r]\n\n[r]: <{url}>",
    "[![a]({url})]({url})", "[a]({url}\n", "**[a]({url})**",
]  # fmt: skip

TAGS = [
    "<script>{js}</script>",
    "<script src={canary}></script>",
    "<ScRiPt>{js}</sCrIpT>",
    "<scr<script>ipt>{js}</script>",
    "<img src=x onerror={js}>",
    "<img src={canary}>",
    "<img src=`x`onerror={js}>",
    "<svg onload={js}>",
    "<svg><script>{js}</script></svg>",
    "<svg><use href={canary}#x></svg>",
    "<math><mi xlink:href='javascript:{js}'>x</mi></math>",
    "<iframe src='javascript:{js}'>",
    "<iframe srcdoc='<script>{js}</script>'>",
    "<object data={canary}>",
    "<embed src={canary}>",
    "<video src={canary} onerror={js}>",
    "<audio src={canary} onerror={js}>",
    "<body onload={js}>",
    "<input autofocus onfocus={js}>",
    "<details open ontoggle={js}>",
    "<marquee onstart={js}>",
    "<a href='javascript:{js}'>x</a>",
    "<a href=x onclick={js}>x</a>",
    "<form action='javascript:{js}'><button>x</button></form>",
    "<base href={canary}>",
    "<link rel=stylesheet href={canary}>",
    "<link rel=prefetch href={canary}>",
    "<meta http-equiv=refresh content='0;url={canary}'>",
    "<style>@import '{canary}'</style>",
    "<p style='background:url({canary})'>x</p>",
    "<div style=width:expression({js})>",
    "<template><script>{js}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={js}>'>",
    "<textarea></textarea><script>{js}</script>",
    "<!--><img src=x onerror={js}>-->",
    "<![CDATA[><img src=x onerror={js}>]]>",
    "<?php {js} ?>",
    "<x onmouseover={js}>x</x>",
    "<a id=__proto__><a id=Parley name=open>",
    "<img name=getElementById src={canary}>",
    "&lt;script&gt;{js}&lt;/script&gt;",
    "<picture><source srcset={canary}></picture>",
    "<table background={canary}>",
    "<isindex action={canary}>",
    "<portal src={canary}>",
    "<button popovertarget=x onbeforetoggle={js}>x</button>",
    "<script>{js}",
    "<img src={canary}",
]

PLACES = [
    "{x}", "> {x}", "- {x}", "1. {x}\n2. y", "# {x}", "| a |\n|---|\n| {x} |", "**{x}**", "`{x}`", "```{x}\ny\n```",
    "text {x} text\n\n{x}", "- [ ] {x}", "~~{x}~~",
]  # fmt: skip


def payloads(canary: str) -> Iterator[str]:
    """Each tag in each place, each scheme in each kind of link; `canary` is an address that nobody may ask for."""
    links = [link.replace("{url}", scheme) for link in LINKS for scheme in SCHEMES]
    tags = [place.replace("{x}", tag) for place in PLACES for tag in TAGS]
    pictures = [place.replace("{x}", f"![{canary}]({canary})") for place in PLACES]
    strange = ["```html onload={js}\n<b>\n```", "[a](javascript:{js})" * 20, "![" * 200, "> " * 3000]
    for text in [*links, *tags, *pictures, *strange]:
        yield text.replace("{js}", ALERT).replace("{canary}", canary)
