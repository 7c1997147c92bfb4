"""Open and erase a conversation; the personas to open one with."""

from typing import Annotated

from fastapi import APIRouter, Header, Query

from adapters.web.access import Bearer
from adapters.web.cards import card, preferred
from adapters.web.desk import Desk
from adapters.web.identity import visitor_of
from adapters.web.inbound import key_of
from adapters.web.problems import documented
from adapters.web.tokens import hashed, new_token
from adapters.web.wire import Locale, NewConversation, OpenedConversation, PersonaCards
from bot.types import new_id

AcceptLanguage = Annotated[str | None, Header(max_length=500)]


def routes(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["conversations"])
    core = desk.core

    @router.get("/personas", responses=documented(403, 422))
    async def list_personas(
        locale: Annotated[Locale | None, Query()] = None, accept_language: AcceptLanguage = None
    ) -> PersonaCards:
        """Every persona as a visitor sees it."""
        return PersonaCards(
            personas=[
                card(persona, locale or preferred(accept_language, persona.languages))
                for persona in core.personas.all()
            ],
            model=core.model,
        )

    @router.post("/conversations", status_code=201, responses=documented(403, 404, 413, 422, 503))
    async def open_conversation(new: NewConversation, accept_language: AcceptLanguage = None) -> OpenedConversation:
        """Begin a conversation with a persona. The token in the answer is the only key to it."""
        persona = core.personas.get(new.persona)
        visitor = visitor_of(new.identity, desk.settings) if new.identity is not None else None
        locale = new.locale or preferred(accept_language, persona.languages)
        conversation, token = new_id(), new_token()
        await core.store.conversations.open(
            key_of(conversation), persona=persona.name, locale=locale, secret_hash=hashed(token), visitor=visitor
        )
        return OpenedConversation(id=conversation, token=token, persona=card(persona, locale))

    @router.delete("/conversations/{conversation}", status_code=204, responses=documented(401, 403, 422, 503))
    async def erase_conversation(conversation: str, bearer: Bearer) -> None:
        """Delete everything of the conversation."""
        found = await desk.access.conversation(conversation, bearer)
        await core.inbox.erase(found.key)
        desk.streams.close(found.key)

    return router
