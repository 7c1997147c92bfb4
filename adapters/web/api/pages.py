"""The demo page, the widget's files, the schema of personas."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from adapters.web.assets import Assets
from adapters.web.desk import Desk
from adapters.web.problems import Refused

HERE = Path(__file__).parent.parent
PAGE = {"Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'self'"}
FOR_EVERY_SITE = {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"}
READ = ["GET", "HEAD"]


def routes(desk: Desk, *, root: Path = HERE) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    static, templates = Assets(root / "static"), Assets(root / "templates")

    def send(assets: Assets, name: str, request: Request, extra: dict[str, str]) -> Response:
        asset = assets.get(name)
        if asset is None:
            raise Refused(404, "unknown-route", f"there is nothing at {request.url.path}")
        return asset.respond(request.headers, extra)

    @router.api_route("/", methods=READ)
    async def demo(request: Request) -> Response:
        return send(templates, "demo.html", request, PAGE)

    @router.api_route("/widget.js", methods=READ)
    async def loader(request: Request) -> Response:
        return send(static, "widget.js", request, FOR_EVERY_SITE)

    @router.api_route("/static/{name:path}", methods=READ)
    async def file(name: str, request: Request) -> Response:
        return send(static, name, request, FOR_EVERY_SITE)

    @router.api_route("/favicon.ico", methods=READ)
    async def icon(request: Request) -> Response:
        return send(static, "favicon.svg", request, {})

    @router.api_route("/schemas/persona.v1.json", methods=READ)
    async def persona_schema() -> JSONResponse:
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}
        return JSONResponse(desk.core.persona_schema, headers=headers, media_type="application/schema+json")

    return router
