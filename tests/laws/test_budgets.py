"""Size budgets: a file, a function and a decision that a reader can hold in the head."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.laws.sources import python_files, shown, tracked, tree

FILE_MAX, FILE_P90, FUNCTION_MAX = 400, 250, 50
CODE = ("src", "tools", "bench")


def lines(file: Path) -> int:
    """How many lines a file has."""
    return len(file.read_text("utf-8").splitlines())


def percentile(values: list[int], share: float) -> int:
    """The smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, -(-int(len(values) * share * 1000) // 1000) - 1)]


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file with its length, decorators and docstring included."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield f"{shown(file)}:{first} {node.name}", (node.end_lineno or first) - first + 1


def test_no_python_file_is_longer_than_400_lines() -> None:
    assert {shown(f): lines(f) for f in python_files(*CODE, "tests") if lines(f) > FILE_MAX} == {}


def test_nine_of_ten_python_files_have_250_lines_or_fewer() -> None:
    assert percentile([lines(file) for file in python_files(*CODE)], 0.9) <= FILE_P90


def test_no_function_is_longer_than_50_lines() -> None:
    assert {
        name: length for file in python_files(*CODE, "tests") for name, length in functions(file) if length > FUNCTION_MAX
    } == {}


def test_no_file_of_the_web_shell_is_longer_than_400_lines() -> None:
    web = [f for f in tracked() if f.suffix in {".ts", ".vue", ".css"} and "web/src" in f.as_posix()]
    assert {shown(f): lines(f) for f in web if lines(f) > FILE_MAX} == {}


def test_every_module_opens_with_one_sentence_that_says_what_it_is_for() -> None:
    wanting = [shown(file) for file in python_files(*CODE, "tests") if not _sentence(ast.get_docstring(tree(file)))]
    assert wanting == []


def _sentence(docstring: str | None) -> bool:
    first = (docstring or "").split("\n\n")[0].strip()
    return len(first) > 10 and first[-1] in ".。:" and not first[0].islower()


def test_a_percentile_is_a_value_of_the_list() -> None:
    assert percentile(list(range(1, 101)), 0.9) == 90
    assert percentile([7], 0.9) == 7
