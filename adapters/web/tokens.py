"""The secret of a conversation: who holds the token holds the conversation. Only its hash is stored."""

import hmac
import re
import secrets
from hashlib import sha256

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_NOBODY = sha256(b"").hexdigest()


def new_token() -> str:
    """A fresh secret of 256 random bits in 43 characters."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether `text` has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def hashed(token: str) -> str:
    """What is stored of a token. A plain hash suffices: nobody guesses 256 random bits."""
    return sha256(token.encode()).hexdigest()


def opens(token: str, secret_hash: str | None) -> bool:
    """Whether `token` belongs to the stored hash, in a time that tells nothing about it. None opens to nobody."""
    return hmac.compare_digest(hashed(token), secret_hash or _NOBODY)
