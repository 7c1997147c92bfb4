"""A stand-in for Slack that unmodified slack_sdk and slack-bolt clients talk to.

    async with SlackPlatform() as slack:
        ann = slack.user("Ann", admin=True)
        general = slack.channel("general", [ann])
        ts = await slack.say(ann, general, f"{slack.mention} hello")
        [answer] = await slack.finished(general, ts)

What it knows, from Slack's documents:

* tokens (`not_authed`, `invalid_auth`, `account_inactive`, `token_expired`), rotation, several workspaces by OAuth;
* text of 40,000 cut, updates of 4,000, `markdown_text` of 12,000, sections of 3,000, 50 blocks of 13,000 in all;
* streams need a thread, in channels also the recipient, refuse edits and deletion while live, and end after
  five minutes or at their size; after Slack's stop button an append is answered `stopped_by_user`;
* statuses clear after two minutes or with the app's next message; sessions leave `processing` only by the app;
  at most four suggested prompts, and none for a thread in an agent app;
* events are acknowledged in three seconds or come again with the same event_id; a mention is two events;
  the app's own messages come back to it; a link's preview looks like an edit; a root with replies leaves a
  tombstone; DMs send no `app_mention`; nothing comes from channels that the app isn't in;
* Socket Mode tickets, hello, ten connections, random spread, disconnect reasons; HTTP with signature v0;
* triggers open one view within three seconds; response URLs work five times in half an hour;
* files by external upload; downloads without a token lead to a sign-in page that answers 200;
* rate limits by tier, one posting a second per channel, and the hard limit on history, where settings say so.

Faults are armed by `slack.faults`; `slack.calls` and `slack.deliveries` record everything.
"""

from tests.slack.platform.carrying import Ack
from tests.slack.platform.delivery import Delivery
from tests.slack.platform.events import HttpEvents
from tests.slack.platform.server import SlackPlatform
from tests.slack.platform.settings import Settings
from tests.slack.platform.things import Channel, File, Message, Session, Team, User, View
from tests.slack.platform.web_api import Call

__all__ = [
    "Ack",
    "Call",
    "Channel",
    "Delivery",
    "File",
    "HttpEvents",
    "Message",
    "Session",
    "Settings",
    "SlackPlatform",
    "Team",
    "User",
    "View",
]
