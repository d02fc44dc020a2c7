"""The schema as it is executed: documents prepared once, errors masked, suggestions off."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exception_handlers import ExceptionHandler
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext, StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError

from schema.limits import Limits
from schema.masking import Masking, log_unexpected, presentable, request_id
from schema.subscribing import Subscription
from schema.validation import MAX_ERRORS, Documents, Prepared, follow_one_of


class Executor(StrawberryGraphQLCoreExecutionContext):
    """The library's executor, with bounds: on what it says of bad variables, and what it remembers.

    Each of those errors prints the whole value again, and suggestions name what may be hidden.
    """

    @classmethod
    def build(cls, *arguments: Any, **options: Any) -> Any:
        """As the library's, whose callers pass the bound by position: it is the tenth argument."""
        left_out = (None,) * (9 - len(arguments))
        bounded = (*arguments[:9], *left_out, MAX_ERRORS, *arguments[10:])
        return super().build(*bounded, **{**options, "hide_suggestions": True})

    def build_per_event_executor(self, payload: Any) -> Any:
        """With a memory of its own for the fields it collects.

        They are remembered by lists that every event makes anew: in the memory that the events of
        a subscription share, none is ever found again, and none forgotten.
        """
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor


class PreparedDocuments(SchemaExtension):
    """Hands Strawberry the document that `Schema.prepare` made, so that it need not do it again."""

    def on_operation(self) -> Iterator[None]:
        """Before parsing."""
        context = self.execution_context
        schema = context.schema
        if isinstance(schema, Schema) and context.query:
            context.graphql_document = schema.prepare(context.query).document
            context.validation_rules = ()
        yield


class Schema(strawberry.Schema):
    """A Strawberry schema under limits.

    `context_value` has a `request_id`; errors name it when they can say nothing else.
    """

    def __init__(
        self,
        query: type,
        mutation: type | None = None,
        subscription: type | None = None,
        *,
        limits: Limits | None = None,
        config: StrawberryConfig | None = None,
        exception_handlers: Iterable[ExceptionHandler[Any]] = (),
    ) -> None:
        super().__init__(
            query,
            mutation,
            subscription,
            config=config,
            exception_handlers=exception_handlers,
            extensions=[PreparedDocuments, Masking],
            execution_context_class=Executor,
        )
        follow_one_of(self._schema)
        self.documents = Documents(self._schema, limits or Limits())

    def prepare(self, text: str) -> Prepared:
        """The document of `text`, parsed and validated, or why not. Never raises."""
        return self.documents.prepare(text)

    async def execute(self, query: str | None, *arguments: Any, **options: Any) -> ExecutionResult:
        """As Strawberry's, for documents that may run."""
        refused = self._refused(query)
        return refused or await super().execute(query, *arguments, **options)

    def execute_sync(self, query: str | None, *arguments: Any, **options: Any) -> ExecutionResult:
        """As Strawberry's, for documents that may run."""
        return self._refused(query) or super().execute_sync(query, *arguments, **options)

    async def stream(self, query: str | None, *arguments: Any, **options: Any) -> StreamResult:
        """As Strawberry's, for documents that may run. `subscribe` comes through here too."""
        refused = self._refused(query)
        if refused is None:
            return await super().stream(query, *arguments, **options)
        return _only(refused)

    async def begin(
        self,
        query: str,
        *,
        variables: Mapping[str, Any] | None,
        context: object,
        operation_name: str | None,
    ) -> Subscription | ExecutionResult:
        """The subscription of a document, or why it cannot run."""
        prepared = self.prepare(query)
        if prepared.document is None or prepared.errors:
            return PreExecutionError(data=None, errors=list(prepared.errors))
        try:
            begun = await Subscription.begin(
                self._schema,
                Executor,
                prepared.document,
                operation_name=operation_name,
                variables=variables or {},
                context=context,
            )
        except Exception as error:
            begun = [GraphQLError(str(error), original_error=error)]
        if isinstance(begun, Subscription):
            return begun
        return self.told(PreExecutionError(data=None, errors=begun), context, operation_name)

    def told(
        self, result: ExecutionResult, context: object, operation_name: str | None
    ) -> ExecutionResult:
        """A result as a client may see it. What nobody expected is logged."""
        if result.errors:
            log_unexpected(result.errors, request_id(context), operation_name)
            result.errors = presentable(result.errors, request_id(context))
        return result

    def _refused(self, query: str | None) -> PreExecutionError | None:
        errors = self.prepare(query).errors if query else []
        return PreExecutionError(data=None, errors=list(errors)) if errors else None

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log what nobody expected, once, before it is masked."""
        context = execution_context.context if execution_context else None
        operation = execution_context.operation_name if execution_context else None
        log_unexpected(errors, request_id(context), operation)


async def _only(result: PreExecutionError) -> StreamResult:
    yield result
