"""Every error Parley raises on purpose. Each says what is wrong and what to do, and names the offending value.

ParleyError
├── ConfigError              a setting, file or flag is wrong
├── PersonaError             persona files have faults
├── BadKey                   not a conversation key
├── BadPerson                not a person on a channel
├── Unknown                  there is no such thing
│   ├── UnknownPersona
│   ├── UnknownConversation
│   ├── UnknownTurn
│   └── UnknownPlugin
├── StoreError
│   ├── StoreUnavailable     the database does not answer or cannot be written
│   │   └── StoreInUse       another Parley has it open, and it can be one's alone
│   └── LeaseLost            another replica holds the conversation, or it was erased
├── ChannelError             a platform did not take what was sent
│   ├── ChannelBusy          it asks to wait before the next attempt
│   └── ChannelGone          the place is gone or closed to us: no attempt will succeed
├── CursorLost               the live buffer no longer holds what follows this cursor
├── UnsupportedClaim         the model said what no passage supports
│   └── DegenerateAnswer     the model said nothing, goes round in circles or writes broken characters
├── TrainingError            data, memory or disk do not allow the training that was asked for
└── EngineError
    ├── ModelRefused         the model folder is missing, damaged or not safe to load
    ├── RequestRefused       the request asks for something this model cannot do
    ├── PromptTooLong        more prompt tokens than the context holds
    ├── EngineBusy           the queue is full
    ├── EngineTimeout        no answer within the deadline
    └── EngineDied           the worker process ended in the middle of a request
"""

from datetime import timedelta


class ParleyError(Exception):
    """The root. `str(error)` is one clear line for a person."""


class ConfigError(ParleyError):
    pass


class Interrupted(ParleyError):
    pass


class PersonaError(ParleyError):
    pass


class BadKey(ParleyError):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a conversation key: expected channel:tenant:room[:thread]")


class BadPerson(ParleyError):
    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a person: expected channel:id or channel:tenant:id")


class Unknown(ParleyError):
    what = "thing"

    def __init__(self, name: str, *, hint: str = "") -> None:
        super().__init__(f"there is no {self.what} {name!r}" + (f"; {hint}" if hint else ""))
        self.name = name


class UnknownPersona(Unknown):
    what = "persona"


class UnknownConversation(Unknown):
    what = "conversation"


class UnknownTurn(Unknown):
    what = "turn"


class UnknownPlugin(Unknown):
    what = "plugin"


class StoreError(ParleyError):
    pass


class StoreUnavailable(StoreError):
    pass


class StoreInUse(StoreUnavailable):
    pass


class LeaseLost(StoreError):
    def __init__(self, conversation: str, epoch: int) -> None:
        super().__init__(f"epoch {epoch} of conversation {conversation!r} is over: another holder took it")


class ChannelError(ParleyError):
    pass


class ChannelBusy(ChannelError):
    """`wait` is what the platform asks for."""

    def __init__(self, what: str, *, wait: timedelta) -> None:
        super().__init__(f"{what}; it asks to wait {wait.total_seconds():g} s")
        self.wait = wait


class ChannelGone(ChannelError):
    pass


class CursorLost(ParleyError):
    def __init__(self, cursor: str) -> None:
        super().__init__(f"the live buffer no longer holds what follows cursor {cursor!r}")


class UnsupportedClaim(ParleyError):
    """`word` is the first number, name or rare word without support."""

    def __init__(self, word: str) -> None:
        super().__init__(f"the answer says {word!r}, which neither the passages nor the question support")
        self.word = word


class DegenerateAnswer(UnsupportedClaim):
    """Nothing that could be supported; `fault` is the rest of the sentence "the answer …"."""

    def __init__(self, fault: str, *, word: str = "") -> None:
        ParleyError.__init__(self, f"the answer {fault}")
        self.word = word


class TrainingError(ParleyError):
    pass


class EngineError(ParleyError):
    pass


class ModelRefused(EngineError):
    pass


class RequestRefused(EngineError):
    pass


class PromptTooLong(EngineError):
    def __init__(self, *, prompt_tokens: int, context: int) -> None:
        super().__init__(f"the prompt has {prompt_tokens} tokens but the model's context holds {context}")
        self.prompt_tokens = prompt_tokens
        self.context = context


class EngineBusy(EngineError):
    def __init__(self, *, waiting: int) -> None:
        super().__init__(f"the engine's queue is full ({waiting} waiting); try again shortly")
        self.waiting = waiting


class EngineTimeout(EngineError):
    pass


class EngineDied(EngineError):
    pass
