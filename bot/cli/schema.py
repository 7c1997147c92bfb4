"""parley schema: the JSON Schema of a persona file."""

import json

import typer


def schema() -> None:
    """Print the JSON Schema of persona files.

    For editors: `parley schema > persona.v1.schema.json`
    """
    from bot.personas import persona_schema

    typer.echo(json.dumps(persona_schema(), indent=2, ensure_ascii=False))
