"""The whole of a persona file, key by key. The descriptions appear in editors through the JSON Schema."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.personas.values import Color, Cron, Languages, Line, Name, Place, Text, Texts, Zone

MAX_STARTERS = 6


class Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())


class Model(Part):
    """Which model answers, and how it chooses its words."""

    use: Annotated[Name, Field(description="The engine: local is the one that Parley runs itself.")] = "local"
    adapter: Annotated[Name | None, Field(description="A fine-tuned LoRA adapter of the model.")] = None
    temperature: Annotated[
        float, Field(ge=0, le=2, description="0 always takes the likeliest word; higher is freer.")
    ] = 0.7
    max_tokens: Annotated[int, Field(ge=1, le=32768, description="The longest answer, in tokens.")] = 256
    top_p: Annotated[float, Field(gt=0, le=1, description="Choose among the likeliest words of this share.")] = 0.95
    top_k: Annotated[int, Field(ge=0, le=1000, description="Choose among this many words; 0 is off.")] = 0
    repetition_penalty: Annotated[float, Field(ge=0.5, le=2, description="Above 1 the model repeats itself less.")] = (
        1.0
    )
    stop: Annotated[tuple[Text, ...], Field(max_length=8, description="The answer ends before any of these.")] = ()
    seed: Annotated[int | None, Field(ge=0, le=2**63 - 1, description="The same seed gives the same answer.")] = None


class StarterPart(Part):
    """A question offered before the first message."""

    label: Annotated[Texts, Field(description="What the button says.")]
    prompt: Annotated[Texts, Field(description="What is asked.")]


class ExamplePart(Part):
    """One exchange that shows the model how to answer."""

    user: Text
    assistant: Text


class Knowledge(Part):
    """Documents to answer from: Markdown, text, CSV or YAML of questions and answers."""

    source: Annotated[Text, Field(description="A folder or file, seen from the folder of this file.")]
    top_k: Annotated[int, Field(ge=1, le=20, description="At most this many passages for a question.")] = 4
    min_score: Annotated[float, Field(ge=0, description="Passages below this relevance are left out.")] = 0.0


class Answering(Part):
    """How answers rest on the knowledge."""

    grounded: Annotated[
        Literal["off", "prefer", "require"],
        Field(description="require: where nothing is found, say so. prefer: use what is found."),
    ] = "off"
    cite: Annotated[bool, Field(description="Show the sources beside the answer.")] = True
    when_unsure: Annotated[Texts | None, Field(description="What to say where nothing is found.")] = None


class Handoff(Part):
    """When a person takes over."""

    to: Annotated[Place, Field(description="Where the person is, as channel:room.")]
    when: Annotated[tuple[Text, ...], Field(min_length=1)]


class Guardrails(Part):
    """What the persona must not do."""

    policy: Annotated[
        Name | None, Field(description="health: emergencies first, the disclaimer with every answer.")
    ] = None
    refuse: Annotated[tuple[Text, ...], Field(description="Subjects it does not talk about.")] = ()
    mask: Annotated[
        tuple[Literal["email", "phone", "card"], ...], Field(description="Personal data that is blotted out.")
    ] = ()


class Memory(Part):
    """What the persona keeps in mind."""

    history_tokens: Annotated[int, Field(ge=0, le=1_000_000, description="Earlier messages, in tokens.")] = 3000
    remember: Annotated[tuple[Text, ...], Field(description="Facts to keep for the whole conversation.")] = ()
    keep_days: Annotated[int | None, Field(ge=2, le=3650, description="Conversations are deleted after this.")] = None
    train_on_rated: Annotated[
        bool,
        Field(description="What people rate as good may train the model; they are told where they rate."),
    ] = False


class Task(Part):
    """A message at fixed times."""

    cron: Annotated[Cron, Field(description="minute hour day month weekday, as in cron; 0 and 7 are Sunday")]
    prompt: Text
    to: Annotated[Place, Field(description="Where the answer is posted, as channel:room.")]
    timezone: Annotated[Zone | None, Field(description="For example Europe/Berlin; the server's where absent.")] = None


class Widget(Part):
    """How the persona looks on a website."""

    accent: Annotated[Color | None, Field(description='A color, in quotes: "#0f766e"')] = None
    avatar: Annotated[Text | None, Field(description="An image, seen from the folder of this file.")] = None
    disclaimer: Annotated[Texts | None, Field(description="Shown to everyone who talks to it.")] = None


class Expectation(Part):
    """What `parley check --run` looks for in the answer."""

    contains: Annotated[tuple[Text, ...], Field(description="The answer has all of these.")] = ()
    cites: Annotated[Text | None, Field(description="The answer cites this document.")] = None
    max_words: Annotated[int | None, Field(ge=1)] = None


class Check(Part):
    """A question with what is expected of the answer."""

    user: Text
    expect: Expectation


class PersonaFile(Part):
    """A persona of Parley: who answers, how, and from what."""

    schema_: Annotated[Literal["parley.persona/v1"], Field(alias="schema", description="The format of this file.")]
    name: Annotated[Name, Field(description="The name of this file without its ending.")]
    title: Annotated[Texts | None, Field(description="What people see; the name where absent.")] = None
    description: Annotated[Line, Field(description="What it does and when to choose it.")]
    languages: Annotated[Languages, Field(description="Languages it answers in; the first is the default.")] = ("en",)
    model: Model = Model()
    instructions: Annotated[
        Texts,
        Field(description="What the model is told. Placeholders: {{persona.title}} {{user.name}} {{date}} {{time}}"),
    ]
    style: Annotated[tuple[Text, ...], Field(description="Rules of style, one a line.")] = ()
    greeting: Annotated[Texts | None, Field(description="Shown before the first message.")] = None
    starters: Annotated[
        tuple[StarterPart, ...], Field(max_length=MAX_STARTERS, description="Questions to begin with.")
    ] = ()
    examples: Annotated[tuple[ExamplePart, ...], Field(description="Exchanges that show how to answer.")] = ()
    knowledge: Annotated[tuple[Knowledge, ...], Field(description="Documents to answer from.")] = ()
    answering: Answering = Answering()
    overlap: Annotated[
        Literal["queue", "merge", "interrupt"], Field(description="A message that arrives during a reply.")
    ] = "queue"
    edits: Annotated[
        Literal["ignore", "answer"], Field(description="A message changed after its answer began, where people can.")
    ] = "ignore"
    handoff: Handoff | None = None
    guardrails: Guardrails = Guardrails()
    memory: Memory = Memory()
    schedule: Annotated[tuple[Task, ...], Field(description="Messages at fixed times.")] = ()
    widget: Widget = Widget()
    checks: Annotated[tuple[Check, ...], Field(description="Questions that `parley check --run` asks.")] = ()
    extensions: Annotated[dict[str, Any], Field(description="The only place for keys of your own.")] = {}
