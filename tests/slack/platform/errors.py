"""How the platform refuses a call."""


class SlackError(Exception):
    """Becomes `{"ok": false, "error": name}` and `fields`; `details` go to `response_metadata.messages`."""

    def __init__(self, name: str, *details: str, **fields: str) -> None:
        super().__init__(name)
        self.name = name
        self.details = details
        self.fields = fields


class RateLimited(Exception):
    """Becomes HTTP 429 with `Retry-After`, in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after
