"""The operations that the front end sends; they must go on working as written."""

from pathlib import Path

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, parse, print_ast
from graphql.language import FragmentSpreadNode, Visitor, visit

FILES = sorted(Path(__file__).parent.glob("*.graphql"))


def operations() -> dict[str, str]:
    """Every operation by name, each a document with the fragments that it uses."""
    found: dict[str, str] = {}
    for file in FILES:
        document = parse(file.read_text())
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode) and definition.name:
                found[definition.name.value] = _alone(definition, document)
    return found


def _alone(operation: OperationDefinitionNode, document: DocumentNode) -> str:
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    used: dict[str, FragmentDefinitionNode] = {}

    class Collect(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
            name = node.name.value
            if name not in used:
                used[name] = fragments[name]
                visit(fragments[name], self)

    visit(operation, Collect())
    return "\n".join(print_ast(definition) for definition in (operation, *used.values()))
