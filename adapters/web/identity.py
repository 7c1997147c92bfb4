"""Visitors whom a site vouches for with a short-lived JWT signed by its server."""

from datetime import UTC, datetime, timedelta

import jwt

from adapters.web.problems import Refused
from adapters.web.settings import WebSettings

LONGEST = timedelta(hours=1)
CLOCK_SKEW = timedelta(seconds=30)


def visitor_of(identity: str, settings: WebSettings) -> str:
    """The `sub` of a valid HS256 token for our audience with `exp` at most an hour ahead. Raises Refused with 403."""
    if settings.identity_secret is None or settings.identity_audience is None:
        raise Refused(403, "no-identity-here", "this server has no identity_secret and accepts no identity")
    try:
        claims = jwt.decode(
            identity,
            settings.identity_secret.get_secret_value(),
            algorithms=["HS256"],
            audience=settings.identity_audience,
            options={"require": ["sub", "aud", "exp"]},
            leeway=CLOCK_SKEW,
        )
    except (jwt.InvalidTokenError, OverflowError) as error:
        raise Refused(403, "bad-identity", f"the identity is not valid: {error}") from error
    if int(claims["exp"]) > (datetime.now(UTC) + LONGEST + CLOCK_SKEW).timestamp():
        raise Refused(403, "bad-identity", "the identity is not valid: exp is more than an hour ahead")
    visitor = claims["sub"]
    if not visitor or len(visitor) > 200 or "\0" in visitor:
        raise Refused(403, "bad-identity", "the identity is not valid: sub has 1 to 200 characters")
    return str(visitor)
