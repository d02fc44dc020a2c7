"""Logging: one stream of structured lines on stderr, for people in development, JSON in production.

Whoever logs writes `structlog.get_logger().info("workflow saved", workflow=id)`. The request id is
bound in `app.web.requests`; what other libraries say goes through the same door. Secrets are
masked here once more, because a log outlives the care of whoever wrote the line.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.settings import Environment, Settings

MASK = "***"

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|token|authorization|cookie|credential|kubeconfig|api_?key"
    r"|private_?key|signing_?key|encryption_?key",
    re.IGNORECASE,
)
_SECRET_TEXT = (
    (re.compile(r"(?<=://)[^/\s@]+(?=@)"), MASK),  # user and password in a URI
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), MASK),  # a signed token
)
_MAX_DEPTH = 5

# uvicorn's own lines at INFO have the query string of a websocket's URL, where a token may be.
_QUIET = ("uvicorn", "uvicorn.error", "uvicorn.access", "pymongo", "httpx", "httpcore", "asyncio")


def configure(settings: Settings) -> None:
    """Send everything that is logged or warned to stderr; call it once, before anything logs."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings),
            ],
        )
    )
    logging.captureWarnings(capture=True)
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for name in _QUIET:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(max(level, logging.WARNING))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask values whose name says secret, and secrets inside any text, tracebacks too."""
    return {name: _masked(name, value, 0) for name, value in event.items()}


def mask_text(text: str) -> str:
    """`text` without passwords in URIs, authorization values and signed tokens."""
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


def _masked(name: str, value: object, depth: int) -> object:
    if _SECRET_NAME.search(name) and value is not None:
        return MASK
    match value:
        case str() | BaseException():
            return mask_text(value if isinstance(value, str) else repr(value))
        case Mapping() | list() | tuple() if depth == _MAX_DEPTH:
            return "…"
        case Mapping():
            return {key: _masked(str(key), item, depth + 1) for key, item in value.items()}
        case list() | tuple():
            return [_masked("", item, depth + 1) for item in value]
        case _:
            return value


def _renderer(settings: Settings) -> Processor:
    if settings.environment is Environment.PRODUCTION:
        return structlog.processors.JSONRenderer(serializer=_to_json)
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


def _to_json(event: object, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
