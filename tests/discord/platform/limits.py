"""Rate limits: a bucket for each route and major parameter, told in headers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limit:
    """`requests` within `seconds`."""

    requests: int
    seconds: float


@dataclass(slots=True)
class Bucket:
    limit: Limit
    used: int = 0
    ends: float = 0.0


@dataclass(slots=True)
class Limits:
    """`usual` holds where `routes` does not name the route, as `METHOD /path/{template}`."""

    usual: Limit = Limit(5000, 1.0)
    routes: dict[str, Limit] = field(default_factory=dict)
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    refused: int = 0

    def take(self, route: str, major: str) -> tuple[float, Mapping[str, str]]:
        """How long to wait (0: go on), and the headers that say so."""
        now = time.monotonic()
        limit = self.routes.get(route, self.usual)
        bucket = self.buckets.setdefault((route, major), Bucket(limit))
        if now >= bucket.ends or bucket.limit != limit:
            bucket.limit, bucket.used, bucket.ends = limit, 0, now + limit.seconds
        wait = 0.0
        if bucket.used >= limit.requests:
            self.refused += 1
            wait = bucket.ends - now
        else:
            bucket.used += 1
        after = bucket.ends - now
        return wait, {
            "X-RateLimit-Limit": str(limit.requests),
            "X-RateLimit-Remaining": str(limit.requests - bucket.used),
            "X-RateLimit-Reset": f"{time.time() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": f"{abs(hash(route)):x}",
            "Via": "1.1 platform",
        }
