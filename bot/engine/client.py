"""The Engine port on top of the worker: renders and counts here, generates there."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.engine.adapter import inspect_adapter
from bot.engine.folder import ModelFolder, inspect
from bot.engine.hub import fetch, is_hub_id
from bot.engine.process import Request, Worker
from bot.engine.protocol import Generate, Ready, Start
from bot.engine.settings import EngineSettings
from bot.engine.template import ChatTemplate
from bot.engine.tokens import ChatTokens, read_tokenizer
from bot.errors import (
    ConfigError,
    EngineBusy,
    EngineDied,
    EngineError,
    EngineTimeout,
    ModelRefused,
    PromptTooLong,
    RequestRefused,
)
from bot.types import Finished, Generated, Message, Prompt, TextDelta

STARTER = "starter"
_MOST_CONTEXT = 8192
_MOST_LOGPROBS = 20
_STARTER_CAUTION = (
    "A small GPT trained from scratch by this project. It has no reliable knowledge of its own and must not be",
    "used for medical advice; where passages answer a question, they are quoted.",
    "For a real model: parley run --model Qwen/Qwen3-0.6B (or any model folder).",
)
_PLAIN_CAUTION = ("This model brings no chat template: it continues a plain dialogue and may not follow instructions.",)
PLAIN_STOPS = ("\nUser:", "\nAssistant:")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """What is known of the model without loading it. `starter`: it is the one that ships in the package."""

    model: str
    path: Path
    kind: str
    parameters: int
    context: int
    starter: bool
    chat_template: bool
    quotes: bool


class LocalEngine:
    """The model of one folder, answered by a worker process."""

    def __init__(self, info: EngineInfo, settings: EngineSettings, *, folder: ModelFolder, worker: Worker) -> None:
        """Raises ModelRefused for a tokenizer or chat template that cannot be used."""
        self.info = info
        self._settings = settings
        self._vocabulary = folder.vocabulary
        self._worker = worker
        self._waiting = 0
        self._tokens = chat_tokens(folder, thinking=settings.thinking)
        self._stops = () if info.chat_template else PLAIN_STOPS

    @property
    def model(self) -> str:
        return self.info.model

    @property
    def caution(self) -> tuple[str, ...]:
        return _STARTER_CAUTION if self.info.starter else () if self.info.chat_template else _PLAIN_CAUTION

    @property
    def grounded_only(self) -> bool:
        return self.info.starter

    @property
    def quotes(self) -> bool:
        return self.info.quotes

    @property
    def context(self) -> int:
        return self.info.context

    @property
    def loaded(self) -> Ready | None:
        """Device, dtype, threads and slots, once the model is loaded."""
        status = self._worker.status
        return status if isinstance(status, Ready) else None

    @property
    def in_flight(self) -> int:
        """Requests that wait or run now."""
        return self._waiting + self._worker.in_flight

    @property
    def unconfirmed(self) -> int:
        """Cancelled requests whose place in the worker is not yet known to be free."""
        return self._worker.unconfirmed

    @property
    def worker_pid(self) -> int | None:
        """The process id of the worker, while one runs."""
        return self._worker.pid

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._tokens.encode(messages))

    async def check(self) -> None:
        status = self._worker.status
        if isinstance(status, EngineError):
            raise type(status)(str(status))
        if status is None:
            raise EngineError(f"{self.model} is still loading; try again in a few seconds")

    async def wait_loaded(self) -> Ready:
        """Wait for the model. Raises ModelRefused, EngineDied."""
        return await self._worker.loaded()

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        tokens = self._tokens.encode(prompt.messages)
        self._check_prompt(tokens)
        self._check_request(prompt)
        most = self._settings.slots + self._settings.queue
        if self.in_flight >= most:
            raise EngineBusy(waiting=self._settings.queue)
        until = asyncio.get_running_loop().time() + self._settings.deadline
        try:
            request, first = await self._begun(prompt, tokens, until=until)
        except EngineDied:  # nothing was shown yet, so one more try is seen by nobody
            request, first = await self._begun(prompt, tokens, until=until)
        try:
            event = first
            while not isinstance(event, Finished):
                yield event
                event = await self._next(request, until=until)
            yield event
        finally:
            self._worker.drop(request)

    async def _begun(
        self, prompt: Prompt, tokens: Sequence[int], *, until: float
    ) -> tuple[Request, TextDelta | Finished]:
        """The request and its first event."""
        request = await self._submitted(prompt, tokens, until=until)
        try:
            return request, await self._next(request, until=until)
        except BaseException:
            self._worker.drop(request)
            raise

    async def _submitted(self, prompt: Prompt, tokens: Sequence[int], *, until: float) -> Request:
        self._waiting += 1
        try:
            async with asyncio.timeout_at(until):
                await self._worker.loaded()
        except TimeoutError:
            raise EngineTimeout(
                f"{self.model} was not loaded within {self._settings.deadline:g} s; "
                "try again, or set engine.deadline higher"
            ) from None
        finally:
            self._waiting -= 1
        sampling = prompt.sampling
        generate = Generate(
            id=self._worker.number(),
            tokens=list(tokens),
            limit=min(sampling.max_tokens, self.context - len(tokens)),
            sampling={**asdict(sampling), "stop": [*sampling.stop, *self._stops]},
            adapter=prompt.adapter,
        )
        return self._worker.submit(generate)

    async def _next(self, request: Request, *, until: float) -> TextDelta | Finished:
        """The request's next event. Raises EngineTimeout and what the worker reports."""
        try:
            async with asyncio.timeout_at(until):
                event = await request.events.get()
        except TimeoutError:
            raise EngineTimeout(
                f"{self.model} gave no whole answer within {self._settings.deadline:g} s; "
                "try again, or set engine.deadline higher"
            ) from None
        if isinstance(event, EngineError):
            raise event
        return event

    def _check_prompt(self, tokens: Sequence[int]) -> None:
        if len(tokens) >= self.context:
            raise PromptTooLong(prompt_tokens=len(tokens), context=self.context)
        if not tokens:
            raise EngineError("the chat template made an empty prompt of these messages; send some text")
        if self._vocabulary and max(tokens) >= self._vocabulary:
            raise EngineError(
                f"token {max(tokens)} of the prompt is outside the model's vocabulary of {self._vocabulary}; "
                "its tokenizer.json belongs to another model"
            )

    def _check_request(self, prompt: Prompt) -> None:
        sampling, adapters = prompt.sampling, self._settings.adapters
        if prompt.adapter is not None and prompt.adapter not in adapters:
            known = ", ".join(sorted(adapters)) or "none"
            raise RequestRefused(f"there is no adapter {prompt.adapter!r}; engine.adapters names {known}")
        beyond = [token for token, _ in sampling.logit_bias if not 0 <= token < (self._vocabulary or token + 1)]
        if beyond:
            raise RequestRefused(f"logit_bias names token {beyond[0]}; this model has {self._vocabulary}")
        if sampling.logprobs is not None and not 0 <= sampling.logprobs <= _MOST_LOGPROBS:
            raise RequestRefused(f"logprobs is {sampling.logprobs}; it may be 0 to {_MOST_LOGPROBS}")


@asynccontextmanager
async def open_engine(settings: EngineSettings, *, stall: float = 20.0) -> AsyncIterator[LocalEngine]:
    """Check the model and start its worker; loading goes on meanwhile. Raises ModelRefused, ConfigError.

    `stall`: seconds after which a worker that does not confirm a cancel is taken for hung and started anew.
    """
    path = local_folder(settings.model) or await fetch(settings.model)
    folder = await asyncio.to_thread(inspect, path)
    adapters = await asyncio.to_thread(_adapters, settings, base=folder)
    context = _context(folder, settings)
    tokenizer = await asyncio.to_thread(read_tokenizer, folder.tokenizer)
    by_text = [tokenizer.token_to_id(text) for text in folder.end_texts]
    starter = settings.model == STARTER
    info = EngineInfo(
        model=f"Parley starter ({_human(folder.parameters)} parameters)" if starter else _name(settings.model),
        path=path,
        kind=folder.kind,
        parameters=folder.parameters,
        context=context,
        starter=starter,
        chat_template=folder.template is not None,
        quotes=quotes(path) if settings.grounded_answers == "auto" else settings.grounded_answers == "quotes",
    )
    start = Start(
        folder=str(path),
        device=settings.device,
        dtype=settings.dtype,
        threads=settings.threads,
        slots=settings.slots,
        context=context,
        chunk=settings.prefill_chunk,
        kept=None if settings.prefix_cache is None else settings.prefix_cache << 20,
        ends=sorted({*folder.ends, *(id_ for id_ in by_text if id_ is not None)}),
        adapters=adapters,
    )
    worker = Worker(start, stall=stall)
    engine = LocalEngine(info, settings, folder=folder, worker=worker)
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(worker.run())
        try:
            yield engine
        except BaseException as error:  # noqa: BLE001 - raised below, outside the group, which would wrap it
            failure = error
        running.cancel()
    if failure is not None:
        raise failure


def _adapters(settings: EngineSettings, *, base: ModelFolder) -> dict[str, str]:
    """The checked adapters' folders by their names."""
    folders = {name: Path(where).expanduser() for name, where in settings.adapters.items()}
    for name, where in folders.items():
        inspect_adapter(name, where, base=base)
    return {name: str(where) for name, where in folders.items()}


def chat_tokens(folder: ModelFolder, *, thinking: bool) -> ChatTokens:
    """Messages to the ids of this model, by its own template. Raises ModelRefused."""
    variables = {**folder.special, "enable_thinking": thinking}
    return ChatTokens(read_tokenizer(folder.tokenizer), ChatTemplate(folder.template, variables=variables))


def local_folder(model: str) -> Path | None:
    """Where the model lies; None where it is to be fetched from the hub."""
    if model == STARTER:
        path = Path(__file__).parent / STARTER
        if not path.is_dir():
            raise ModelRefused(
                "this installation has no starter model; install the wheel, or set engine.model to a folder or hub id"
            )
        return path
    path = Path(model).expanduser()
    return None if not path.exists() and is_hub_id(model) else path


def _context(folder: ModelFolder, settings: EngineSettings) -> int:
    if settings.context is None:
        return min(folder.context, _MOST_CONTEXT)
    if settings.context > folder.context:
        raise ConfigError(f"engine.context is {settings.context} but the model holds at most {folder.context} tokens")
    return settings.context


def _name(model: str) -> str:
    return model if is_hub_id(model) and not Path(model).exists() else Path(model).expanduser().resolve().name


def _human(count: int) -> str:
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return str(count)


def quotes(folder: Path) -> bool:
    """Whether the model fell short of its release rule (see `bot.training.export`)."""
    try:
        said = json.loads((folder / "parley.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise ModelRefused(f"{folder / 'parley.json'} cannot be read: {error}") from error
    return isinstance(said, dict) and said.get("grounded_answers") == "quotes"
