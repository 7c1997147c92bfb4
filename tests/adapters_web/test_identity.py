"""Visitors whom a site vouches for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio
from pydantic import SecretStr

from adapters.web.inbound import key_of
from tests.adapters_web.house import NEW, Served, serving

SECRET = "s" * 32


def signed(*, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    whole = {"sub": "ann", "aud": "chat", "exp": soon, **claims}
    return jwt.encode({name: value for name, value in whole.items() if value is not None}, secret, algorithm=algorithm)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    settings: dict[str, Any] = {"identity_secret": SecretStr(SECRET), "identity_audience": "chat"}
    async with serving(tmp_path_factory.mktemp("web"), dispatch=False, **settings) as served:
        yield served


async def test_a_valid_identity_is_kept_with_the_conversation(served: Served) -> None:
    visitor = await served.visitor(identity=signed())
    found = await served.core.store.conversations.get(key_of(visitor.id))
    assert found is not None
    assert found.visitor == "ann"
    await visitor.say("hello")


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(lambda: signed(secret="t" * 32), id="another secret"),
        pytest.param(lambda: signed(secret="s" * 64, algorithm="HS512"), id="another algorithm"),
        pytest.param(lambda: jwt.encode({"sub": "ann", "aud": "chat"}, "", algorithm="none"), id="no algorithm"),
        pytest.param(lambda: signed(aud="shop"), id="another audience"),
        pytest.param(lambda: signed(aud=None), id="no audience"),
        pytest.param(lambda: signed(exp=None), id="no end"),
        pytest.param(lambda: signed(sub=None), id="nobody"),
        pytest.param(lambda: signed(sub=""), id="empty name"),
        pytest.param(lambda: signed(sub=7), id="no text for a name"),
        pytest.param(lambda: signed(exp=datetime.now(UTC) - timedelta(minutes=2)), id="expired"),
        pytest.param(lambda: signed(exp=datetime.now(UTC) + timedelta(hours=2)), id="too long"),
        pytest.param(lambda: signed(exp=10**30), id="far too long"),
        pytest.param(lambda: signed(nbf=datetime.now(UTC) + timedelta(hours=1)), id="not yet"),
        pytest.param(lambda: "junk", id="junk"),
        pytest.param(lambda: "", id="empty"),
    ],
)
async def test_a_wrong_identity_opens_nothing(served: Served, identity: Any) -> None:
    answer = await served.http.post(NEW, json={"persona": "helper", "identity": identity()})
    assert answer.status_code == 403, answer.text
    assert "token" not in answer.json()
    assert SECRET not in answer.text


async def test_a_server_without_a_secret_accepts_no_identity(tmp_path: Path) -> None:
    async with serving(tmp_path, dispatch=False) as served:
        answer = await served.http.post(NEW, json={"persona": "helper", "identity": signed()})
    assert answer.status_code == 403
