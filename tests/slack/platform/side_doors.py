"""The HTTP doors beside the Web API: uploads, downloads, response URLs, the page that installs the app."""

from urllib.parse import urlencode

from aiohttp import web

from tests.slack.platform import answers
from tests.slack.platform.cutting import faulty
from tests.slack.platform.errors import SlackError
from tests.slack.platform.faults import Faults
from tests.slack.platform.workspace import Workspace


class SideDoors:
    """Faults know them as `files.upload`, `files.download` and `response_url`."""

    def __init__(self, workspace: Workspace, faults: Faults) -> None:
        self._workspace = workspace
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/upload/v1/{file}", faulty("files.upload", self._upload, self._faults)),
            web.get("/files-pri/{key}/{name:.+}", faulty("files.download", self._download, self._faults)),
            web.get("/signin", self._sign_in),
            web.post("/actions/{team}/{key}", faulty("response_url", self._respond, self._faults)),
            web.get("/oauth/v2/authorize", self._authorize),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        file = self._workspace.files.get(request.match_info["file"])
        if file is None or file.completed:
            return web.Response(status=404, text="not found")
        content = await self._content(request)
        if len(content) != file.length:
            return web.Response(status=400, text=f"{len(content)} bytes came, {file.length} were announced")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _content(self, request: web.Request) -> bytes:
        if not request.content_type.startswith("multipart/"):
            return await request.read()
        field = next(iter((await request.post()).values()), "")
        if isinstance(field, web.FileField):
            return field.file.read()
        return field.encode() if isinstance(field, str) else bytes(field)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Without a good token Slack leads to its sign-in page, which answers 200 with HTML."""
        file_id = request.match_info["key"].rpartition("-")[2]
        file = self._workspace.files.get(file_id)
        try:
            token = self._workspace.tokens.check(request.headers.get("Authorization", "").removeprefix("Bearer "))
        except SlackError:
            raise web.HTTPFound("/signin") from None
        scopes = self._workspace.settings.scopes
        if scopes is not None and "files:read" not in scopes:
            raise web.HTTPFound("/signin")
        if file is None or file.content is None or (token.team != file.team and not token.org_wide):
            raise web.HTTPFound("/signin")
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _sign_in(self, request: web.Request) -> web.Response:
        return web.Response(text="<!DOCTYPE html><title>Sign in</title>", content_type="text/html")

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            answers.respond(self._workspace, request.match_info["key"], await request.json())
        except SlackError as refused:
            return web.json_response({"ok": False, "error": refused.name}, status=404)
        return web.Response(text="ok")

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        """An admin who says yes at once; `team` in the query chooses the workspace, else the first one."""
        team = request.query.get("team") or next(iter(self._workspace.teams))
        code = self._workspace.tokens.code(team)
        back = {"code": code, "state": request.query.get("state", "")}
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{urlencode(back)}")
