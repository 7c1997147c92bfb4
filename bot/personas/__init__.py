"""Personas: YAML files → personas that answer, with every fault told at its line and column."""

from bot.personas.catalog import BUILTIN, Catalog
from bot.personas.check import CheckReport, check
from bot.personas.jsonschema import persona_schema
from bot.personas.problems import Problem

__all__ = ["BUILTIN", "Catalog", "CheckReport", "Problem", "check", "persona_schema"]
