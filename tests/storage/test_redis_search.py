"""What `parley erase` asks of Redis: is a text anywhere in what is ours?"""

from bot.ports import Scannable
from bot.types import Memory, StoredMessage
from storage.redis import RedisSettings, open_shared
from tests.conformance.bus import append, delta, started
from tests.conformance.samples import SENT_AT, key
from tests.redis_server import RedisServer


async def test_a_text_is_found_in_every_kind_of_key_and_no_more_once_forgotten(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.set("theirs", "canary")
        for name, put in (("h", client.hset), ("s", client.sadd), ("l", client.rpush)):
            put(f"parley:{name}", *(("f", "canary") if name == "h" else ("canary",)))
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        assert isinstance(shared, Scannable)
        assert await shared.find("canary") == 3
        assert await shared.find("杯子") == 0
        said = StoredMessage(id="m", role="user", text="我的杯子", turn="t", at=SENT_AT)
        await shared.window.put(key(), Memory(version=1, messages=(said,), facts={"cup": "杯子"}))
        await append(shared.bus, started("t"), delta("t", 1, "杯子"))
        assert await shared.find("杯子") == 2
        await shared.window.forget(key())
        await shared.bus.forget(key())
        assert await shared.find("杯子") == 0
