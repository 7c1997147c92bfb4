"""A model's chat template, rendered in a sandbox that also bounds time, size and loops.

A template comes with the model from strangers. Jinja's sandbox keeps it from Python's insides; the limits here
keep it from stopping the process: every loop, call, concatenation and output is charged to one budget per render.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import jinja2
import jinja2.ext
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import do_indent
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from bot.errors import EngineError, ModelRefused
from bot.types import Message

PLAIN = (
    "{% for m in messages %}"
    "{{ m.content if m.role == 'system' else ('User: ' if m.role == 'user' else 'Assistant: ') ~ m.content }}\n\n"
    "{% endfor %}Assistant:"
)
"""For models without a template of their own: base models that continue a dialogue."""

_MAX_SOURCE = 64 * 1024
_MAX_TEXT = 4 * 1024 * 1024
_MAX_STEPS = 200_000
_MAX_SECONDS = 1.0  # of computing: on a busy machine a second of the clock may pass in a wink

_FILTERS = """abs capitalize count d default dictsort e escape first float indent int items join last length list
    lower map max min reject rejectattr replace reverse round safe select selectattr sort string title tojson trim
    unique upper"""
_METHODS_REFUSED = {"format", "format_map", "ljust", "rjust", "center", "zfill", "expandtabs", "translate"}


class _OverBudget(Exception):
    pass


class _Budget:
    def __init__(self) -> None:
        self.steps = _MAX_STEPS
        self.text = _MAX_TEXT
        self.until = time.thread_time() + _MAX_SECONDS

    def step(self, *, text: int = 0) -> None:
        self.steps -= 1
        self.text -= text
        if self.steps < 0 or self.text < 0 or time.thread_time() > self.until:
            raise _OverBudget


class _Generation(jinja2.ext.Extension):
    """The tag `{% generation %}`, which marks training targets; here its body stands for itself."""

    tags = frozenset(("generation",))  # type: ignore[assignment]  # jinja2 only looks in it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_Generation, jinja2.ext.loopcontrols],
            finalize=self._output,
        )
        self.budget = _Budget()
        self.filters = {name: f for name, f in self.filters.items() if name in _FILTERS.split()} | {
            "tojson": _tojson,
            "replace": lambda text, old, new: self._replace(str(text), str(old), str(new)),
            "join": lambda items, d="", attribute=None: self._join(items, str(d), attribute),
            "indent": self._indent,
            "bounded_": self._bounded,
        }
        self.globals = {
            "range": range,
            "dict": dict,
            "namespace": Namespace,
            "raise_exception": _raise,
            "strftime_now": lambda form: datetime.now().astimezone().strftime(str(form)[:100]),
            "concat_": self._concat,
        }

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        sized = [side for side in (left, right) if isinstance(side, str | list | tuple | bytes)]
        if operator == "%" and sized:
            raise SecurityError("text formatting with % is not allowed")
        if operator == "*" and sized:
            times = right if sized[0] is left else left
            self.budget.step(text=len(sized[0]) * max(int(times), 0))
        elif operator == "+" and sized:
            self.budget.step(text=sum(map(len, sized)))
        elif any(abs(n) > 1e9 for n in (left, right) if isinstance(n, int | float)) or (
            operator == "**" and right > 64
        ):
            raise _OverBudget
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        self.budget.step()
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            if obj.__name__ == "replace" and len(args) >= 2:
                return self._replace(owner, str(args[0]), str(args[1]))
            if obj.__name__ == "join" and args:
                return self._join(args[0], owner, None)
            self.budget.step(text=len(owner))
        if obj is range:
            numbers = range(*args)
            if len(numbers) > _MAX_STEPS:
                raise _OverBudget
            return numbers
        return super().call(context, obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> None:
        """None: `str.format` is refused like the other methods that pad, in place of being sandboxed."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _METHODS_REFUSED and super().is_safe_attribute(obj, attr, value)

    def _output(self, value: Any) -> Any:
        self.budget.step(text=len(value) if isinstance(value, str) else 16)
        return value

    def _bounded(self, items: Any, cost: int) -> Iterator[Any]:
        for item in items:
            self.budget.step(text=cost)
            yield item

    def _concat(self, *parts: Any) -> str:
        texts = [str(part) for part in parts]
        self.budget.step(text=sum(map(len, texts)))
        return "".join(texts)

    def _indent(self, text: object, width: int = 4, first: bool = False, blank: bool = False) -> str:
        self.budget.step(text=(str(text).count("\n") + 1) * int(width))
        return do_indent(str(text), int(width), first, blank)

    def _replace(self, text: str, old: str, new: str) -> str:
        self.budget.step(text=len(text) + text.count(old) * len(new))
        return text.replace(old, new)

    def _join(self, items: Iterable[Any], between: str, attribute: str | None) -> str:
        values = [self.getitem(item, attribute) if attribute else item for item in items]
        self.budget.step(text=len(between) * len(values) + sum(len(str(value)) for value in values))
        return between.join(map(str, values))


class ChatTemplate:
    """Renders messages for the model. `source` None stands for the plain dialogue template."""

    def __init__(self, source: str | None, *, variables: Mapping[str, Any]) -> None:
        """`variables` (special tokens, switches) are visible to the template. Raises ModelRefused."""
        self.plain = source is None
        text = PLAIN if source is None else source
        if len(text) > _MAX_SOURCE:
            raise ModelRefused(f"the chat template has {len(text)} characters, more than {_MAX_SOURCE}")
        self._variables = dict(variables)
        self._environment = _Environment()
        try:
            tree = self._environment.parse(text)
            _inspect(tree)
            self._template = self._environment.from_string(_charge(tree, self._environment))
        except (jinja2.TemplateError, RecursionError, SecurityError) as error:
            raise ModelRefused(
                f"the model's chat template is not safe or not valid ({_line(error)}); use another model"
            ) from error
        self._rehearse()

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt text, up to where the assistant begins to speak. Raises EngineError where the template refuses.

        Where a template knows no system role or wants strictly alternating roles, the messages are joined to fit.
        """
        chat = [{"role": m.role, "content": m.text} for m in messages]
        try:
            return self._render(chat)
        except jinja2.TemplateError as first:
            try:
                return self._render(_alternating(chat))
            except jinja2.TemplateError:
                raise EngineError(f"the model's chat template refuses this conversation: {_line(first)}") from first
        except _OverBudget as error:
            raise EngineError("the model's chat template took too long or made too much text") from error

    def _render(self, chat: Sequence[Mapping[str, str]]) -> str:
        self._environment.budget = _Budget()
        try:
            return self._template.render(
                messages=[dict(message) for message in chat],
                add_generation_prompt=True,
                tools=None,
                documents=None,
                **self._variables,
            )
        except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError, RecursionError) as error:
            raise jinja2.TemplateRuntimeError(_line(error)) from error
        except MemoryError as error:
            raise _OverBudget from error

    def _rehearse(self) -> None:
        pairs = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}] * 8
        for chat in (pairs[:1], [{"role": "system", "content": "s"}, *pairs[:3]], [*pairs, pairs[0]]):
            try:
                try:
                    self._render(chat)
                except SecurityError:
                    raise
                except jinja2.TemplateError:
                    self._render(_alternating(chat))
            except _OverBudget as error:
                raise ModelRefused(
                    "the model's chat template runs too long or makes too much text; use another model"
                ) from error
            except jinja2.TemplateError as error:
                raise ModelRefused(
                    f"the model's chat template fails on a plain conversation ({_line(error)}); use another model"
                ) from error


def _inspect(tree: nodes.Template) -> None:
    names: list[object] = [found.attr for found in tree.find_all(nodes.Getattr)]
    names += [found.value for found in tree.find_all(nodes.Const)]
    for name in names:
        if isinstance(name, str) and name.startswith("__"):
            raise SecurityError(f"it reaches for {name!r}")
    for refused in tree.find_all((nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)):
        raise SecurityError(f"it loads another template in line {refused.lineno}")


def _charge(tree: nodes.Template, environment: jinja2.Environment) -> nodes.Template:
    """Make every loop and concatenation of the template go through the budget."""
    for loop in tree.find_all(nodes.For):
        cost = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
        arguments: list[nodes.Expr] = [nodes.Const(cost)]
        loop.iter = nodes.Filter(loop.iter, "bounded_", arguments, [], None, None, lineno=loop.lineno)
    for node in [tree, *tree.find_all(nodes.Node)]:
        for name, value in node.iter_fields():
            if isinstance(value, nodes.Concat):
                setattr(node, name, _concatenation(value))
            elif isinstance(value, list):
                value[:] = [_concatenation(v) if isinstance(v, nodes.Concat) else v for v in value]
    tree.set_environment(environment)
    return tree


def _concatenation(node: nodes.Concat) -> nodes.Call:
    return nodes.Call(nodes.Name("concat_", "load"), node.nodes, [], None, None, lineno=node.lineno)


def _alternating(chat: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """System text joined to the first user message, neighbours of one role joined."""
    out: list[dict[str, str]] = []
    for message in chat:
        role = "user" if message["role"] == "system" else message["role"]
        if out and out[-1]["role"] == role:
            out[-1] = {"role": role, "content": f"{out[-1]['content']}\n\n{message['content']}"}
        else:
            out.append({"role": role, "content": message["content"]})
    return out


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=min(indent or 0, 8) or None, **options)


def _raise(message: object) -> None:
    raise jinja2.TemplateError(str(message))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
