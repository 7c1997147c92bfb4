"""What pydantic cannot see: what must fit together, what lies beside the file, what has no effect yet."""

from pathlib import Path

from bot.personas.paths import inside, near
from bot.personas.placeholders import check_placeholders, forbid_placeholders
from bot.personas.positions import Lines, Node
from bot.personas.problems import Problems

POLICIES = ("health",)

_SHOWN_TEXTS = (
    ("title",),
    ("greeting",),
    ("style",),
    ("starters", "label"),
    ("schedule", "prompt"),
    ("answering", "when_unsure"),
    ("widget", "disclaimer"),
)
_LATER = (
    ("handoff",),
    ("guardrails", "refuse"),
    ("guardrails", "mask"),
    ("widget", "avatar"),
)
_LATER_UNLESS = (
    (("model", "use"), ("local",)),
    (("guardrails", "policy"), POLICIES),
)


def check_values(root: Node, problems: Problems) -> None:
    """No key without a value, outside `extensions`."""
    if isinstance(root.value, dict):
        for key, node in root.value.items():
            if key != "extensions":
                _check_value(key, node, problems)


def _check_value(key: str, node: Node, problems: Problems) -> None:
    if node.value is None:
        problems.add("no-value", node.spot, key=key)
    elif isinstance(node.value, dict):
        for name, item in node.value.items():
            _check_value(f"{key}.{name}", item, problems)
    elif isinstance(node.value, list):
        for number, item in enumerate(node.value):
            _check_value(f"{key}[{number}]", item, problems)


def check_rules(root: Node, text: str, path: Path, problems: Problems) -> None:
    """Everything else about the file at `path`; parts the schema already refused are passed over."""
    _check_name(root, path, problems)
    _check_texts(root, text, problems)
    _check_paths(root, path.parent, problems)
    _check_answering(root, problems)
    _note_later(root, problems)


def _check_name(root: Node, path: Path, problems: Problems) -> None:
    name = root.at(["name"])
    if name is not None and isinstance(name.value, str) and name.value != path.stem and name.spot not in problems.spots:
        hint = problems.near(name.value, [path.stem])
        problems.add("wrong-name", name.spot, found=name.value, file=path.name, hint=hint)


def _check_texts(root: Node, text: str, problems: Problems) -> None:
    lines = Lines(text)
    for leaf in _leaves(root.at(["instructions"])):
        check_placeholders(leaf, text, lines, problems)
    for first, *rest in _SHOWN_TEXTS:
        node = root.at([first])
        if node is None:
            continue
        for item in node.value if isinstance(node.value, list) else [node]:
            for leaf in _leaves(item.at(rest)):
                forbid_placeholders(leaf, ".".join((first, *rest)), text, lines, problems)


def _leaves(node: Node | None) -> list[Node]:
    """A text, or the texts of a mapping of languages."""
    if node is None:
        return []
    return list(node.value.values()) if isinstance(node.value, dict) else [node]


def _check_paths(root: Node, folder: Path, problems: Problems) -> None:
    knowledge = root.at(["knowledge"])
    entries = knowledge.value if knowledge is not None and isinstance(knowledge.value, list) else []
    for node in (*(entry.at(["source"]) for entry in entries), root.at(["widget", "avatar"])):
        if node is None or not isinstance(node.value, str) or not node.value.strip():
            continue
        verdict = inside(folder, node.value)
        if not isinstance(verdict, Path):
            close = near(folder, node.value) if verdict == "missing-path" else None
            hint = problems.say("hint.near", near=close) if close else ""
            problems.add(verdict, node.spot, found=node.value, hint=hint)


def _check_answering(root: Node, problems: Problems) -> None:
    policy = root.at(["guardrails", "policy"])
    if policy is not None and policy.value == "health" and root.at(["widget", "disclaimer"]) is None:
        problems.add("missing-disclaimer", policy.spot)
    grounded = root.at(["answering", "grounded"])
    knowledge = root.at(["knowledge"])
    if grounded is not None and grounded.value == "require" and (knowledge is None or not knowledge.value):
        problems.add("needs-knowledge", grounded.spot)


def _note_later(root: Node, problems: Problems) -> None:
    for path in _LATER:
        node = root.at(path)
        if node is not None and node.value:
            problems.add("not-active", root.key_spot(path), key=".".join(path), hint="")
    for path, active in _LATER_UNLESS:
        node = root.at(path)
        if node is None or not isinstance(node.value, str) or node.value in active or node.spot in problems.spots:
            continue
        hint = problems.near(node.value, list(active))
        problems.add("not-active", root.key_spot(path), key=f"{'.'.join(path)}: {node.value}", hint=hint)
