"""The parser's complaints in our own words, at the place where a person mends them."""

from ruamel.yaml.error import MarkedYAMLError

from bot.personas.problems import TOP, Problems, Spot

_BY_CONTEXT = {
    "while scanning an alias": "alias",
    "while scanning an anchor": "alias",
    "while scanning a tag": "tag",
    "while parsing a tag": "tag",
    "while scanning a directive": "directive",
    "while scanning a block scalar": "syntax.block",
    "while scanning a simple key": "syntax.no-colon",
}
_BY_PROBLEM = (
    ("mapping values are not allowed", "syntax.colon"),
    ("sequence entries are not allowed", "syntax.list"),
    ("found unexpected end of stream", "syntax.quote"),
    ("found unexpected document separator", "syntax.quote"),
    ("could not find expected ':'", "syntax.no-colon"),
    ("expected <block end>", "syntax.indent"),
    ("expected ',' or", "syntax.open"),
    ("that cannot start any token", "syntax.start"),
    ("found unknown escape character", "syntax.escape"),
    ("expected the node content", "syntax.content"),
    ("found undefined tag handle", "tag"),
    ("YAML directive", "directive"),
)
_AT_THE_OPENING = frozenset({"syntax.quote", "syntax.no-colon", "alias", "tag"})


def explain(error: MarkedYAMLError, problems: Problems) -> None:
    """Add the parser's error to `problems`."""
    complaint = error.problem or str(error)
    known = (key for words, key in _BY_PROBLEM if words in complaint)
    key = _BY_CONTEXT.get(error.context or "") or next(known, "syntax")
    opening = error.context_mark
    mark = error.problem_mark
    if mark is None or (opening is not None and key in _AT_THE_OPENING):
        mark = opening
    spot = Spot(mark.line + 1, mark.column + 1) if mark is not None else TOP
    fields: dict[str, object] = {"detail": complaint}
    if opening is not None:
        fields["line"] = opening.line + 1
        fields["bracket"] = "[" if "]" in complaint else "{"
    if key == "syntax.start":
        fields["character"] = complaint.removeprefix("found character ").partition(" that cannot")[0]
    problems.add(key, spot, **fields)
