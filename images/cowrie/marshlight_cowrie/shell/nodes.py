"""The syntax tree. A word is a list of parts; `quoted` parts are neither split nor taken as patterns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Union


@dataclass
class Text:
    text: str
    quoted: bool = False


@dataclass
class Parameter:
    """`${name...}`. `operator` is the text after the name; `index` a subscript (`@` and `*` as texts)."""

    name: str
    quoted: bool = False
    index: Word | None = None
    operator: str = ""
    argument: Word | None = None
    second: Word | None = None
    length: bool = False
    indirect: bool = False
    source: str = ""


@dataclass
class Substitution:
    body: list[Node]
    quoted: bool = False
    #: `<` or `>` for a process substitution.
    direction: str = ""


@dataclass
class Arithmetic:
    expression: Word
    quoted: bool = False


Part = Union[Text, Parameter, Substitution, Arithmetic]


@dataclass
class Word:
    parts: list[Part] = field(default_factory=list)
    source: str = ""
    braces: bool = False

    def literal(self) -> str | None:
        """Its text when nothing in it is quoted or expanded."""
        if all(isinstance(part, Text) and not part.quoted for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Text))
        return None

    def plain(self) -> str | None:
        """Its text when nothing in it is expanded; quotes are gone."""
        if all(isinstance(part, Text) for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Text))
        return None


@dataclass
class Assignment:
    name: str
    index: Word | None
    append: bool
    value: Word | None
    #: `(...)`: subscript (or None) and value.
    elements: list[tuple[Word | None, Word]] | None = None


@dataclass
class Redirection:
    operator: str
    fd: int | None
    target: Word | None
    variable: str = ""
    #: The lines of a here-document.
    body: Word | None = None


@dataclass
class Simple:
    assignments: list[Assignment]
    words: list[Word | Assignment]
    redirections: list[Redirection]
    line: int
    source: str = ""


@dataclass
class Pipeline:
    stages: list[Node]
    negated: bool
    timed: str
    #: Per stage but the last: `|&`.
    errors: list[bool]
    source: str = ""


@dataclass
class AndOr:
    first: Node
    rest: list[tuple[str, Node]]


@dataclass
class Background:
    body: Node
    source: str


@dataclass
class Group:
    body: list[Node]


@dataclass
class Subshell:
    body: list[Node]


@dataclass
class If:
    branches: list[tuple[list[Node], list[Node]]]
    otherwise: list[Node] | None


@dataclass
class Loop:
    condition: list[Node]
    body: list[Node]
    until: bool


@dataclass
class For:
    name: str
    words: list[Word] | None
    body: list[Node]
    line: int
    select: bool = False


@dataclass
class ForArithmetic:
    start: Word
    condition: Word
    step: Word
    body: list[Node]


@dataclass
class Case:
    subject: Word
    branches: list[tuple[list[Word], list[Node], str]]


@dataclass
class Function:
    name: str
    body: Node
    source: str = ""


@dataclass
class Test:
    """`[[ ]]`: nested tuples of operator and operands."""

    expression: tuple
    line: int


@dataclass
class Calculation:
    """`(( ))`"""

    expression: Word
    line: int


@dataclass
class Compound:
    """A compound command with redirections of its own."""

    body: Node
    redirections: list[Redirection]


Node = Union[
    Simple,
    Pipeline,
    AndOr,
    Background,
    Group,
    Subshell,
    If,
    Loop,
    For,
    ForArithmetic,
    Case,
    Function,
    Test,
    Calculation,
    Compound,
]
