"""files.getUploadURLExternal, files.completeUploadExternal, files.info."""

from tests.slack.platform.ask import Ask
from tests.slack.platform.errors import SlackError
from tests.slack.platform.methods.chat import thread_ts
from tests.slack.platform.shapes import file_json
from tests.slack.platform.things import File, Json, Message


def get_upload_url(ask: Ask) -> Json:
    name, length = ask.need("filename"), ask.number("length", 0)
    if length < 1:
        raise SlackError("missing_argument")
    file = File(id=ask.workspace.ids.new("F"), name=name, team=ask.team.id, user=ask.team.bot_user, length=length)
    ask.workspace.files[file.id] = file
    return {"upload_url": f"{ask.workspace.base_url}/upload/v1/{file.id}", "file_id": file.id}


def complete_upload(ask: Ask) -> Json:
    """Shares the files in a channel as one message of the app, or keeps them private to it."""
    wanted = ask.json("files")
    if not isinstance(wanted, list) or not wanted:
        raise SlackError("invalid_arguments", "[ERROR] missing required field: files")
    files = [_uploaded(ask, str(each.get("id")), each.get("title")) for each in wanted]
    if ask.text("channel_id"):
        channel = ask.channel("channel_id", to_post=True)
        team = ask.workspace.team_of(channel)
        message = Message(
            ts=ask.workspace.ids.ts(),
            channel=channel.id,
            team=team.id,
            user=team.bot_user,
            bot_id=team.bot_id,
            text=ask.text("initial_comment") or "",
            thread_ts=thread_ts(ask),
            files=[file.id for file in files],
        )
        for file in files:
            file.channels.append(channel.id)
        ask.workspace.post(message)
    for file in files:
        file.completed = True
    return {"files": [{"id": file.id, "title": file.title or file.name} for file in files]}


def info(ask: Ask) -> Json:
    file = ask.workspace.files.get(ask.need("file"))
    if file is None or file.team != ask.team.id:
        raise SlackError("file_not_found")
    return {"file": file_json(file, base_url=ask.workspace.base_url)}


def _uploaded(ask: Ask, file_id: str, title: str | None) -> File:
    file = ask.workspace.files.get(file_id)
    if file is None or file.content is None or file.completed or file.team != ask.team.id:
        raise SlackError("file_not_found")
    file.title = title or file.name
    return file


METHODS = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": info,
}
