"""Many visitors in a process of their own: each asks again as soon as its reply is finished.

`python -m tests.benchmarks.load parley 127.0.0.1 8080 --conversations 50 --turns 1000` prints a Load as JSON.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from statistics import quantiles

from tests.benchmarks.talkers import ChainlitTalker, ParleyTalker, Talker

TALKERS: dict[str, type[ChainlitTalker] | type[ParleyTalker]] = {"parley": ParleyTalker, "chainlit": ChainlitTalker}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """`times` of the measured turns in seconds, from sending the message to its finished reply; `rate` in turns a
    second. `turns` counts those that warmed up, too. `client` is the part of a core that the visitors took."""

    times: list[float]
    rate: float
    turns: int
    client: float

    @property
    def p50(self) -> float:
        return quantiles(self.times, n=100)[49]

    @property
    def p99(self) -> float:
        return quantiles(self.times, n=100)[98]


async def drive(kind: str, servers: Sequence[tuple[str, int]], *, conversations: int, turns: int, expect: str) -> Load:
    """`turns` in all, spread over the conversations, which are spread over the servers; a tenth more warms up."""
    talkers: list[Talker] = [TALKERS[kind]() for _ in range(conversations)]
    for talker, (host, port) in zip(talkers, cycle(servers), strict=False):
        await talker.open(host, port)

    async def converse(talker: Talker, count: int) -> list[float]:
        times = []
        for number in range(count):
            began = time.perf_counter()
            answer = await talker.ask(f"question {number}")
            times.append(time.perf_counter() - began)
            if answer != expect:
                raise RuntimeError(f"answered {answer!r} in place of {expect!r}")
        return times

    each = max(1, turns // conversations)
    warm = 1 + each // 10
    await asyncio.gather(*(converse(talker, warm) for talker in talkers))
    began, cpu = time.perf_counter(), time.process_time()
    found = await asyncio.gather(*(converse(talker, each) for talker in talkers))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    for talker in talkers:
        await talker.close()
    times = [one for some in found for one in some]
    turns = len(times) + warm * conversations
    return Load(times=times, rate=len(times) / seconds, turns=turns, client=cpu / seconds)


async def load(kind: str, servers: Sequence[tuple[str, int]], *, conversations: int, turns: int, expect: str) -> Load:
    """`drive` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.load", kind, *(f"{host}:{port}" for host, port in servers)),
        *("--conversations", str(conversations), "--turns", str(turns), "--expect", expect),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the visitors of {kind} failed")
    return Load(**json.loads(out))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=TALKERS)
    parser.add_argument("servers", nargs="+")
    parser.add_argument("--conversations", type=int, default=1)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--expect", required=True)
    given = parser.parse_args()
    servers = [(host, int(port)) for host, _, port in (server.partition(":") for server in given.servers)]
    measured = drive(given.kind, servers, conversations=given.conversations, turns=given.turns, expect=given.expect)
    json.dump(asdict(asyncio.run(measured)), sys.stdout)


if __name__ == "__main__":
    main()
