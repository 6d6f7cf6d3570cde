"""
Functions as text, for `type` and `declare -f`: the tree written out again, laid out as bash does.

The first line of a text stands where its caller is; each further one begins with `pad`.
"""

from __future__ import annotations

from typing import Any

from . import nodes
from .nodes import Assignment, Node, Redirection, Word

DEEPER = "    "


def function_text(function: nodes.Function) -> str:
    return f"{function.name} () \n{body_text(function.body, '')}\n"


def body_text(node: Node, pad: str) -> str:
    """A function's body: always within braces, its redirections after them."""
    redirections: list[Redirection] = []
    if isinstance(node, nodes.Compound):
        node, redirections = node.body, node.redirections
    inner = pad + DEEPER
    text = list_text(node.body, inner) if isinstance(node, nodes.Group) else text_of(node, inner)
    return f"{pad}{{ \n{inner}{text}\n{pad}}}" + "".join(f" {redirection_text(one)}" for one in redirections)


def list_text(found: list[Node], pad: str) -> str:
    out = ""
    for number, node in enumerate(found):
        background = isinstance(node, nodes.Background)
        text = text_of(node.body if isinstance(node, nodes.Background) else node, pad)
        out += text + (" &" if background else "")
        if number < len(found) - 1:
            # A here-document has ended its line already.
            out += " " if background else ("" if text.endswith("\n") else ";") + "\n" + pad
    return out


def closed(found: list[Node], pad: str) -> str:
    """A list with what a word like `fi` needs before it."""
    text = list_text(found, pad)
    return text if text.endswith(("&", "\n")) else text + ";"


def block(found: list[Node], pad: str) -> str:
    return f"\n{pad}{DEEPER}{closed(found, pad + DEEPER)}\n{pad}"


def text_of(node: Node, pad: str) -> str:
    return WRITERS[type(node)](node, pad)


def simple_text(node: nodes.Simple, pad: str) -> str:
    pieces = [assignment_text(one) for one in node.assignments]
    pieces += [assignment_text(one) if isinstance(one, Assignment) else one.source for one in node.words]
    pieces += [redirection_text(one) for one in node.redirections]
    return " ".join(pieces) + "".join(document_text(one) for one in node.redirections)


def assignment_text(node: Assignment) -> str:
    index = f"[{node.index.source}]" if node.index is not None else ""
    if node.elements is None:
        value = node.value.source if node.value is not None else ""
    else:
        value = "(" + " ".join((f"[{at.source}]=" if at is not None else "") + one.source for at, one in node.elements) + ")"
    return f"{node.name}{index}{'+' if node.append else ''}={value}"


def redirection_text(node: Redirection) -> str:
    target = node.target.source if node.target is not None else ""
    fd = f"{{{node.variable}}}" if node.variable else "" if node.fd is None else str(node.fd)
    if node.operator in (">&", "<&"):
        if target == "-":
            return f"{fd or ('1' if node.operator == '>&' else '0')}>&-"
        if target.isdigit():
            return f"{fd or ('1' if node.operator == '>&' else '0')}{node.operator}{target}"
        return f"&> {target}" if node.operator == ">&" and not fd else f"{fd}{node.operator}{target}"
    return f"{fd}{node.operator}{target}" if node.operator in ("<<", "<<-") else f"{fd}{node.operator} {target}"


def document_text(node: Redirection) -> str:
    if node.body is None or node.target is None:
        return ""
    return f"\n{node.body.source}{node.target.plain() or node.target.source}\n"


def pipeline_text(node: nodes.Pipeline, pad: str) -> str:
    lead = ("time -p " if node.timed == "-p" else "time " if node.timed else "") + ("! " if node.negated else "")
    out = ""
    for number, stage in enumerate(node.stages):
        out += text_of(stage, pad)
        if number < len(node.stages) - 1:
            out += (" 2>&1" if node.errors[number] else "") + " | "
    return lead + out


def and_or_text(node: nodes.AndOr, pad: str) -> str:
    return text_of(node.first, pad) + "".join(f" {operator} {text_of(one, pad)}" for operator, one in node.rest)


def if_text(node: nodes.If, pad: str) -> str:
    (condition, body), *others = node.branches
    out = f"if {closed(condition, pad)} then{block(body, pad)}"
    if others:
        inner = if_text(nodes.If(others, node.otherwise), pad + DEEPER)
        out += f"else\n{pad}{DEEPER}{inner};\n{pad}"
    elif node.otherwise is not None:
        out += f"else{block(node.otherwise, pad)}"
    return out + "fi"


def loop_text(node: nodes.Loop, pad: str) -> str:
    return f"{'until' if node.until else 'while'} {closed(node.condition, pad)} do{block(node.body, pad)}done"


def for_text(node: nodes.For, pad: str) -> str:
    words = '"$@"' if node.words is None else " ".join(word.source for word in node.words)
    return f"{'select' if node.select else 'for'} {node.name} in {words};\n{pad}do{block(node.body, pad)}done"


def for_arithmetic_text(node: nodes.ForArithmetic, pad: str) -> str:
    parts = "; ".join(word.source.strip() or "1" for word in (node.start, node.condition, node.step))
    return f"for (({parts}))\n{pad}do{block(node.body, pad)}done"


def case_text(node: nodes.Case, pad: str) -> str:
    out = f"case {node.subject.source} in "
    for patterns, body, end in node.branches:
        names = " | ".join(word.source for word in patterns)
        inner = pad + DEEPER + DEEPER
        out += f"\n{pad}{DEEPER}{names})\n{inner + list_text(body, inner) if body else ''}\n{pad}{DEEPER}{end or ';;'}"
    return f"{out}\n{pad}esac"


def condition_text(expression: tuple[Any, ...]) -> str:
    operator, *operands = expression
    texts = [one.source if isinstance(one, Word) else condition_text(one) for one in operands]
    if operator == "word":
        return f"-n {texts[0]}"
    if operator == "(":
        return f"( {texts[0]} )"
    return f"{operator} {texts[0]}" if len(texts) == 1 else f"{texts[0]} {operator} {texts[1]}"


WRITERS: dict[type, Any] = {
    nodes.Simple: simple_text,
    nodes.Pipeline: pipeline_text,
    nodes.AndOr: and_or_text,
    nodes.Background: lambda node, pad: f"{text_of(node.body, pad)} &",
    nodes.Group: lambda node, pad: f"{{ \n{pad}{DEEPER}{list_text(node.body, pad + DEEPER)}\n{pad}}}",
    nodes.Subshell: lambda node, pad: f"( {list_text(node.body, pad)} )",
    nodes.If: if_text,
    nodes.Loop: loop_text,
    nodes.For: for_text,
    nodes.ForArithmetic: for_arithmetic_text,
    nodes.Case: case_text,
    nodes.Function: lambda node, pad: f"function {node.name} () \n{body_text(node.body, pad)}",
    nodes.Test: lambda node, pad: f"[[ {condition_text(node.expression)} ]]",
    nodes.Calculation: lambda node, pad: f"(({node.expression.source}))",
    nodes.Compound: lambda node, pad: " ".join([text_of(node.body, pad), *map(redirection_text, node.redirections)]),
}
