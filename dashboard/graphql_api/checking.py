"""What a question is, before any of it is answered: well formed, only reading, not too deep, and at what cost.

Done on the schema's text with graphql-core alone, because the cost has to be known between the rules and the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import get_argument_values, get_variable_values

from dashboard.graphql_api.limits import (
    COUNTS,
    LEAST_COST,
    MOST_COST,
    MOST_DEPTH,
    MOST_REPEATS,
    MOST_TOKENS,
    SIZES,
    WEIGHTS,
    Refused,
)

_MOST_ERRORS = 5
_WITH_FIELDS = (OperationDefinitionNode, FragmentDefinitionNode)
_NO_CHANGES = "nothing can be changed here: there are questions, and neither mutations nor subscriptions"
_NO_INTROSPECTION = "the schema is not asked for in a question: GET /graphql gives all of it as text"
_TOO_DEEP = f"this question is too deep: at most {MOST_DEPTH} fields within each other"


class Checker:
    """Checks questions against one schema. Any thread."""

    def __init__(self, schema: str) -> None:
        """`schema` in its own language."""
        self._schema = build_schema(schema)

    def cost(self, question: str, operation: str | None, variables: Mapping[str, Any]) -> int:
        """The points of the operation that is meant. Raises `Refused`. (Any: JSON values.)"""
        try:
            document = self._parsed(question)
            meant = _meant(document, operation)
            if meant.operation is not OperationType.QUERY:
                raise _refused("NoChanges", _NO_CHANGES)
            if _repeats(document) > MOST_REPEATS:
                raise _refused("TooLong", "this question names the same things over and over: name each once")
            if broken := validate(self._schema, document, max_errors=_MOST_ERRORS):
                raise Refused("InvalidQuery", [_plain(one) for one in broken[:_MOST_ERRORS]])
            return max(LEAST_COST, self._cost(document, meant, variables))
        except RecursionError:
            raise _refused("TooDeep", _TOO_DEEP) from None

    def _parsed(self, question: str) -> DocumentNode:
        try:
            return parse(question, max_tokens=MOST_TOKENS)
        except GraphQLError as error:
            if "tokens" in error.message:
                raise _refused("TooLong", f"this question is too long: at most {MOST_TOKENS} words and signs") from None
            raise Refused("InvalidQuery", [_plain(error)]) from None

    def _cost(self, document: DocumentNode, meant: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        given = get_variable_values(
            self._schema, meant.variable_definitions or (), dict(variables), max_errors=_MOST_ERRORS
        )
        if isinstance(given, list):
            raise Refused("InvalidVariables", [_plain(one) for one in given])
        query = self._schema.query_type
        assert query is not None  # of a schema that only reads
        walk = _Walk(self._schema, document, given)
        walk.go_down(meant.selection_set, MOST_DEPTH)
        points = walk.points(meant.selection_set, query, 1)
        if points > MOST_COST:
            raise _refused(
                "TooCostly", f"this question would cost {points:,} points, and {MOST_COST:,} are the most: ask for less"
            )
        return points


class _Walk:
    """One way through a question."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Any) -> None:
        """`variables` as graphql-core tells them (Any: its type is its own)."""
        self._schema = schema
        self._variables = variables
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._seen: dict[tuple[str, int], bool] = {}
        self._known: dict[tuple[str, int], int] = {}

    def go_down(self, selections: SelectionSetNode, left: int) -> None:
        """Refuses what is deeper than `left` fields, and questions about the schema."""
        for one in selections.selections:
            if isinstance(one, FieldNode):
                if one.name.value in ("__schema", "__type"):
                    raise _refused("NoIntrospection", _NO_INTROSPECTION)
                if left < 1:
                    raise _refused("TooDeep", _TOO_DEEP)
                if one.selection_set is not None:
                    self.go_down(one.selection_set, left - 1)
            elif isinstance(one, InlineFragmentNode):
                self.go_down(one.selection_set, left)
            elif isinstance(one, FragmentSpreadNode) and (one.name.value, left) not in self._seen:
                self._seen[(one.name.value, left)] = True
                self.go_down(self._fragments[one.name.value].selection_set, left)

    def points(self, selections: SelectionSetNode, kind: GraphQLObjectType, size: int) -> int:
        """Of one item of `kind`; `size`: how many items its holder was asked for, at most."""
        total = 0
        for one in selections.selections:
            if isinstance(one, FieldNode):
                total += self._of_field(one, kind, size)
            elif isinstance(one, InlineFragmentNode):
                total += self.points(one.selection_set, kind, size)
            elif isinstance(one, FragmentSpreadNode):
                name = (one.name.value, size)
                if name not in self._known:  # each once: fragments that hold each other twice would double and double
                    self._known[name] = self.points(self._fragments[one.name.value].selection_set, kind, size)
                total += self._known[name]
        return total

    def _of_field(self, node: FieldNode, kind: GraphQLObjectType, size: int) -> int:
        field = kind.fields.get(node.name.value)
        if field is None:
            return 1  # __typename
        name = f"{kind.name}.{node.name.value}"
        points = WEIGHTS.get(name, 1)
        if node.selection_set is None:
            return points
        items = self._items(node, field, size)
        inside = get_named_type(field.type)
        assert isinstance(inside, GraphQLObjectType)  # the schema has no interfaces and no unions
        many = SIZES.get(name, items) if _is_list(field) else 1
        return points + many * self.points(node.selection_set, inside, items)

    def _items(self, node: FieldNode, field: GraphQLField, size: int) -> int:
        try:
            given = get_argument_values(field, node, self._variables)
        except GraphQLError as error:
            raise Refused("InvalidVariables", [_plain(error)]) from None
        for name in COUNTS:
            if name in given:
                return max(0, int(given[name]))
        return len(given["keys"]) if "keys" in given else size


def _meant(document: DocumentNode, operation: str | None) -> OperationDefinitionNode:
    there = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if operation is not None:
        there = [one for one in there if one.name is not None and one.name.value == operation]
    if not there:
        raise _refused("InvalidQuery", "there is no such operation in this question")
    if len(there) > 1:
        raise _refused("InvalidQuery", "there are several operations: operationName says which one is meant")
    return there[0]


def _repeats(document: DocumentNode) -> int:
    """How often something is named that was named before in the same place, and fragments that are called for."""
    found, waiting = 0, [one.selection_set for one in document.definitions if isinstance(one, _WITH_FIELDS)]
    while waiting:
        names: set[str] = set()
        for one in waiting.pop().selections:
            if isinstance(one, FieldNode):
                name = (one.alias or one.name).value
                found += name in names
                names.add(name)
            else:
                found += 1
            if isinstance(one, FieldNode | InlineFragmentNode) and one.selection_set is not None:
                waiting.append(one.selection_set)
    return found


def _is_list(field: GraphQLField) -> bool:
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return isinstance(kind, GraphQLList)


def _plain(error: GraphQLError) -> dict[str, Any]:  # Any: a text, places in the question
    told: dict[str, Any] = {"message": error.message[:500]}
    if error.locations:
        told["locations"] = [{"line": place.line, "column": place.column} for place in error.locations[:5]]
    return told


def _refused(code: str, message: str) -> Refused:
    return Refused(code, [{"message": message}])
