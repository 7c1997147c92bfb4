"""The model under evaluation: it answers many prompts at once, greedily, by the engine's own scheduler and template."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import transformers

from bot.engine.client import PLAIN_STOPS, STARTER, chat_tokens, quotes
from bot.engine.loading import find_device, read_model, runner_of
from bot.engine.scheduler import Scheduler
from bot.engine.sequence import Sequence as Row
from bot.engine.template import ChatTemplate
from bot.engine.tokens import ChatTokens, Detokenizer, read_tokenizer
from bot.errors import ModelRefused
from bot.evaluation.options import find_model
from bot.types import Message, Sampling

_SLOTS = 48
_CHUNK = 512
_SMALL = 50_000_000
_MOST_CONTEXT = 2048  # no question here is longer, and caches are as long as the context


@dataclass(frozen=True, slots=True)
class Said:
    """One answer. `whole` is False where the limit cut it; `tokens` counts what was produced, its end included.

    A prompt that the context does not hold is answered by nothing, with `fits` False.
    """

    text: str
    tokens: int = 0
    whole: bool = True
    fits: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A loaded model with its tokens. `seconds` is what reading its weights took; `starter` and `quotes` are what the
    engine would say of it."""

    name: str
    model: Any
    chat: ChatTokens
    tokenizer: Any
    context: int
    ends: frozenset[int]
    stops: tuple[str, ...] = ()
    seconds: float = 0.0
    starter: bool = False
    quotes: bool = False
    folder: Path | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def small(self) -> bool:
        """Whether a second thread costs more than it brings."""
        return bool(self.facts.get("parameters", 0) < _SMALL)

    def answers(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        limit: int,
        tell: Callable[[int], None] = lambda _: None,
    ) -> list[Said]:
        """Greedy answers of at most `limit` tokens, in order; `tell` hears how many more are done.

        Long prompts go first, so that no slot waits for one at the end. Raises ModelRefused where the model fails.
        """
        scheduler = Scheduler(runner_of(self.model, slots=_SLOTS, context=self.context, chunk=_CHUNK))
        encoded = [self.chat.encode(tuple(prompt)) for prompt in prompts]
        said: dict[int, Said] = {}
        texts: dict[int, list[str]] = {}
        for number in sorted(range(len(encoded)), key=lambda n: -len(encoded[n])):
            ids = encoded[number]
            if len(ids) + 1 > self.context:
                said[number] = Said("", fits=False)
                tell(1)
                continue
            texts[number] = []
            scheduler.add(self._row(number, ids, min(limit, self.context - len(ids))))
        while not scheduler.idle:
            report = scheduler.step()
            if report.failed:
                raise ModelRefused(f"{self.name}: {report.failed[0][1]}")
            for number, text, _ in report.texts:
                texts[number].append(text)
            for number, reason, tokens, _ in report.done:
                said[number] = Said("".join(texts[number]), tokens, whole=reason == "stop")
                tell(1)
        return [said[number] for number in range(len(encoded))]

    def logits(self, ids: Sequence[int]) -> torch.Tensor:
        """Of every position, [positions, vocabulary], in float32 on the CPU."""
        with torch.inference_mode():
            out = self.model(input_ids=torch.tensor([list(ids)], device=self.model.device))
        return out.logits[0].float().cpu()  # type: ignore[no-any-return]  # a model's output is untyped

    def with_model(self, model: Any, *, name: str) -> "Subject":
        """The same tokens before other weights."""
        return replace(self, model=model, name=name)

    def _row(self, number: int, ids: Sequence[int], limit: int) -> Row:
        return Row(
            id=number,
            prompt=list(ids),
            sampling=Sampling(temperature=0.0, stop=self.stops),
            limit=limit,
            ends=self.ends,
            text=Detokenizer(lambda some: self.tokenizer.decode(some, skip_special_tokens=True)),
        )


def open_subject(model: str, *, device: str = "auto", exact: bool = False) -> Subject:
    """`starter`, or a folder, in float32 on a CPU, in bfloat16 on a GPU unless `exact`. Raises ModelRefused."""
    transformers.logging.disable_progress_bar()
    path, folder = find_model(model)
    place = find_device(device)
    began = time.perf_counter()
    dtype = torch.bfloat16 if place.type == "cuda" and not exact else torch.float32
    loaded = read_model(path, device=place, dtype=dtype)
    seconds = time.perf_counter() - began
    tokenizer = read_tokenizer(folder.tokenizer)
    by_text = [tokenizer.token_to_id(text) for text in folder.end_texts]
    return Subject(
        name=model if model == STARTER else path.resolve().name,
        model=loaded,
        chat=chat_tokens(folder, thinking=False),
        tokenizer=tokenizer,
        context=min(folder.context, _MOST_CONTEXT),
        ends=frozenset((*folder.ends, *(id_ for id_ in by_text if id_ is not None))),
        stops=() if folder.template is not None else PLAIN_STOPS,
        seconds=seconds,
        starter=model == STARTER,
        quotes=quotes(path),
        folder=path,
        facts={"kind": folder.kind, **_facts(loaded)},
    )


def subject_of(model: Any, tokenizer: Any, *, name: str = "model") -> Subject:
    """A model and a transformers tokenizer that are in memory, as training has them at its end."""
    special = {key: str(value) for key, value in tokenizer.special_tokens_map.items() if isinstance(value, str)}
    raw = tokenizer.backend_tokenizer
    model.eval()
    return Subject(
        name=name,
        model=model,
        chat=ChatTokens(raw, ChatTemplate(tokenizer.chat_template, variables=special)),
        tokenizer=raw,
        context=min(int(model.config.get_text_config().max_position_embeddings), _MOST_CONTEXT),
        ends=frozenset((tokenizer.eos_token_id,)),
        stops=() if tokenizer.chat_template else PLAIN_STOPS,
        facts=_facts(model),
    )


def _facts(model: Any) -> Mapping[str, Any]:
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
    }
