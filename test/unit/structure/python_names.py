"""
Names that a module takes from a module of ours, `from . import pace` and then `pace.name`, which that one does not have:
they would show only when the line runs. Usage: python_names.py FOLDER..., each with packages below; one line a finding.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path


def main() -> None:
    modules: dict[str, tuple[Path, ast.Module]] = {}
    for folder in map(Path, sys.argv[1:]):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            modules[name] = (path, ast.parse(path.read_text()))
    names = {name: names_of(name, tree, modules) for name, (_, tree) in modules.items()}
    checked = 0
    for name, (path, tree) in modules.items():
        taken = modules_taken(name, path, tree, modules)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in taken:
                of = taken[node.value.id]
                checked += 1
                if node.attr not in names[of] and not node.attr.startswith("__"):
                    print(f"{path}:{node.lineno} {of} has no {node.attr}")
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (of := full_name(name, path, node)) in modules:
                checked += len(node.names)
                for one in node.names:
                    if one.name not in names[of]:
                        print(f"{path}:{node.lineno} {of} has no {one.name}")
    print(f"checked {checked}")


def names_of(name: str, tree: ast.Module, modules: dict[str, tuple[Path, ast.Module]]) -> set[str]:
    """Whatever is bound outside of functions and classes, and the modules below."""
    found = {other.removeprefix(f"{name}.") for other in modules if other.startswith(f"{name}.")}
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(one.asname or one.name).split(".")[0] for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        waiting += ast.iter_child_nodes(node)
    return found


def modules_taken(name: str, path: Path, tree: ast.Module, modules: dict[str, tuple[Path, ast.Module]]) -> dict[str, str]:
    """By the name that they have here; without those that something else is called, too."""
    taken = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = full_name(name, path, node)
            for one in node.names:
                if f"{base}.{one.name}" in modules:
                    taken[one.asname or one.name] = f"{base}.{one.name}"
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return {here: of for here, of in taken.items() if here not in bound}


def full_name(name: str, path: Path, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    up = node.level - (1 if path.name == "__init__.py" else 0)
    base = parts[: len(parts) - up]
    return ".".join([*base, *(node.module.split(".") if node.module else [])])


if __name__ == "__main__":
    main()
