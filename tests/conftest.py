import sys
from collections.abc import Iterator

import pytest
import structlog

from tests import commands
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

# The suites hold the assertions, so they are rewritten like test modules: before any test imports them.
pytest.register_assert_rewrite("tests.conformance")
commands.forking = sys.platform == "linux"


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """structlog's own, with frames and locals, take half a second each: there are tests that log dozens."""
    shown = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], shown])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests; those that stop it start one of their own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def one_redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(one_redis: RedisServer) -> RedisServer:
    """A running Redis that holds nothing; the test may kill it."""
    if one_redis.running:
        one_redis.resume()
        one_redis.flush()
    else:
        one_redis.start()
    return one_redis
