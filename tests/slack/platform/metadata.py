"""Message metadata, as Slack takes it: an event type and a payload, 8 KB at most."""

import json
from typing import Any

from tests.slack.platform.errors import SlackError
from tests.slack.platform.things import Json


def check_metadata(metadata: Any) -> Json | None:
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    payload = metadata.get("event_payload") or {}  # Bolt's assistant sends null where it knows no context
    if not isinstance(metadata.get("event_type"), str) or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_schema")
    if len(json.dumps(metadata)) > 8_192:
        raise SlackError("metadata_too_large")
    return metadata
