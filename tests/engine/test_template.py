import time

import pytest
from transformers import PreTrainedTokenizerFast

from bot.engine.template import ChatTemplate
from bot.errors import EngineError, ModelRefused
from bot.types import Message
from tests.engine.models import CHATML, tokenizer

SYSTEM = Message(role="system", text="Be brief.")
ASK = Message(role="user", text="What is 2 > 1?")
SAY = Message(role="assistant", text='It\'s "true".')

LLAMA2 = (
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}"
    "{% set system_message = messages[0]['content'] %}"
    "{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if loop.index0 == 0 and system_message != false %}"
    "{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}"
    "{% else %}{% set content = message['content'] %}{% endif %}"
    "{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"
)
MODERN = """
{%- set ns = namespace(seen=false, last=messages|length - 1) %}
{%- macro show(role, text) -%}
<|{{ role }}|>
{{ text | trim }}
{%- endmacro %}
{%- if tools is not none and tools %}{{ tools | tojson }}{% endif %}
{%- for m in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if not ns.seen and m.role == "user" %}{% set ns.seen = true %}{% set ns.last = index %}{% endif %}
{%- endfor %}
{%- for m in messages %}
    {%- if m.role not in ["system", "user", "assistant"] %}{% continue %}{% endif %}
{{ show(m['role'], m.content.split('</think>')[-1].lstrip('\\n')) }}{{ "~" ~ loop.index ~ "~" }}
    {%- if m.role == 'assistant' %}{% generation %} {{ m | tojson(indent=2) }} {% endgeneration %}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|assistant|>{{ '' if enable_thinking else '<think></think>' }}{% endif %}
"""


@pytest.mark.parametrize("source", [CHATML, LLAMA2, MODERN], ids=["chatml", "llama2", "modern"])
@pytest.mark.parametrize("chat", [(ASK,), (SYSTEM, ASK), (SYSTEM, ASK, SAY, ASK)], ids=["one", "system", "three"])
def test_it_renders_what_transformers_renders(source: str, chat: tuple[Message, ...]) -> None:
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    theirs = PreTrainedTokenizerFast(tokenizer_object=tokenizer(), chat_template=source, **special)
    wanted = theirs.apply_chat_template(
        [{"role": m.role, "content": m.text} for m in chat],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )
    assert ChatTemplate(source, variables={**special, "enable_thinking": False}).render(chat) == wanted


def test_a_template_without_system_role_gets_it_in_the_first_question() -> None:
    source = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "[{{ m.role }}]{{ m.content }}{% endfor %}"
    )
    assert ChatTemplate(source, variables={}).render((SYSTEM, ASK)) == "[user]Be brief.\n\nWhat is 2 > 1?"


def test_a_template_that_wants_alternating_roles_gets_neighbours_joined() -> None:
    template = ChatTemplate(LLAMA2, variables={"bos_token": "", "eos_token": ""})
    assert template.render((ASK, ASK)) == f"[INST] {ASK.text}\n\n{ASK.text} [/INST]"


def test_without_a_template_a_plain_dialogue_is_made() -> None:
    template = ChatTemplate(None, variables={})
    assert template.plain
    assert template.render((SYSTEM, ASK, SAY, ASK)) == (
        'Be brief.\n\nUser: What is 2 > 1?\n\nAssistant: It\'s "true".\n\nUser: What is 2 > 1?\n\nAssistant:'
    )


HOSTILE = {
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "a huge range": "{{ range(9999999999)|list }}",
    "attribute escape": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "item escape": "{{ messages['__class__'] }}",
    "escape by attr": "{{ ''|attr('__class__') }}",
    "escape by map": "{{ messages|map(attribute='__class__')|list }}",
    "globals of a function": "{{ raise_exception.__globals__ }}",
    "repeated text": "{{ 'a' * 10**10 }}",
    "a repeated list": "{{ [0] * 10**10 }}",
    "doubling by +": "{% set ns=namespace(s='aaaa') %}{% for i in range(40) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    "doubling by ~": "{% set ns=namespace(s='aaaa') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "doubling by blocks": "{% set ns=namespace(s='aaaa') %}{% for i in range(40) %}{% set x %}{{ ns.s }}{{ ns.s }}"
    "{% endset %}{% set ns.s=x %}{% endfor %}",
    "doubling by replace": "{% set ns=namespace(s='aaaa') %}{% for i in range(40) %}"
    "{% set ns.s = ns.s.replace('a', ns.s) %}{% endfor %}",
    "doubling by join": "{% set ns=namespace(s='aaaa') %}{% for i in range(40) %}"
    "{% set ns.s = ns.s|join(ns.s) %}{% endfor %}",
    "padding": "{{ 'a'.center(10**9) }}",
    "formatted padding": "{{ '{:>999999999}'.format('') }}",
    "percent padding": "{{ '%999999999d' % 1 }}",
    "indenting": "{{ 'a'|indent(999999999, true) }}",
    "a huge power": "{{ 9 ** 9999 ** 3 }}",
    "branching recursion": "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "another file": "{% include '/etc/passwd' %}",
    "broken syntax": "{% for m in messages %}",
    "always an error": "{{ raise_exception('no') }}",
    "too long": " " * 70_000,
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_template_is_refused_in_one_line_and_in_time(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(ModelRefused) as caught:
        ChatTemplate(source, variables={})
    assert time.monotonic() - began < 20
    assert "\n" not in str(caught.value)


def test_a_template_that_turns_hostile_later_fails_that_call_alone() -> None:
    source = (
        "{% if 'boom' in messages[0].content %}{% for i in range(99999) %}{% for j in range(99999) %}"
        "{% endfor %}{% endfor %}{% endif %}{{ messages[0].content }}"
    )
    template = ChatTemplate(source, variables={})
    with pytest.raises(EngineError):
        template.render([Message(role="user", text="boom")])
    assert template.render([Message(role="user", text="fine")]) == "fine"
