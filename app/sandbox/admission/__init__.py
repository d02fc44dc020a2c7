"""What a write over HTTP goes through before it is stored.

Is it of the kind, the place and the types it should be; what nobody set; what the server gives;
is it valid, and is the change allowed.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from app.sandbox import schemas
from app.sandbox.admission import custom, quantities, shapes
from app.sandbox.admission.causes import forbidden as not_allowed
from app.sandbox.admission.causes import required
from app.sandbox.admission.defaults import default
from app.sandbox.admission.immutable import changes, growth
from app.sandbox.admission.preparing import prepare
from app.sandbox.admission.validating import validate
from app.sandbox.cluster import Cluster
from app.sandbox.errors import ApiError, Cause, bad_request, forbidden, invalid, not_found
from app.sandbox.objects import Object, copied, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.store import generated

_GIVEN = ("uid", "creationTimestamp", "generation", "selfLink", "deletionTimestamp")
_SERVERS = ("name", "namespace", *_GIVEN)
_NO_NAME = "name or generateName is required"
_NOT_SENT = (*_GIVEN, "deletionGracePeriodSeconds", "resourceVersion")


@dataclass(kw_only=True)
class Candidate:
    """An object that somebody wants to be stored."""

    cluster: Cluster
    resource: Resource
    schema: schemas.TypeSchema
    value: Object
    namespace: str
    name: str
    live: Object | None
    """What it would replace; None for a creation."""
    subresource: str
    """"status": nothing but that is changed."""
    validation: str
    origin: str
    """How it was written, which decides the words of a refusal: `sent`, `patched`, `applied`."""
    warnings: list[str]

    def admitted(self) -> Object:
        """The object as it may be stored; ApiError when it may not."""
        same_kind(self.resource, self.value)
        same_place(self.resource, self.value, self.namespace, self.name)
        obj = self._typed()
        if self.subresource == "status":
            obj = self._with_status(obj)
        metadata = obj["metadata"] = {**(obj.get("metadata") or {})}
        if self.live is None:
            self._begin(metadata)
        elif set(metadata.get("finalizers") or ()) - set(self._held()):
            raise invalid(self.resource, self.name, [self._new_finalizers(metadata)])
        before = self.live or {"metadata": {}}
        metadata |= {f: before["metadata"][f] for f in _SERVERS if f in before["metadata"]}
        if self.resource.has_status and self.subresource != "status":
            obj.pop("status", None)
            if "status" in before:
                obj["status"] = before["status"]
        self._complete(obj)
        self._judge(obj)
        return obj

    def _typed(self) -> Object:
        """Without nulls and unknown fields; wrong types are refused."""
        wrong = list(shapes.mistakes(*self._checked()))
        if wrong:
            raise self._malformed(wrong[0])
        unknown = list(schemas.unknown_fields(self.value, self.schema))
        if unknown and self.validation == "Strict":
            listed = ", ".join(f'unknown field "{path}"' for path in unknown)
            text = f"strict decoding error: {listed}"
            raise bad_request(text if self.origin == "patched" else self._cannot(text))
        if self.validation == "Warn":
            self.warnings += [f'unknown field "{path}"' for path in unknown]
        value = schemas.prune(self.value, self.schema) if unknown else copied(self.value)
        if not self.resource.custom:
            return dict(shapes.without_nulls(value, self.schema))
        metadata = self.schema.fields["metadata"]
        return {**value, "metadata": shapes.without_nulls(value.get("metadata") or {}, metadata)}

    def _checked(self) -> tuple[Any, schemas.TypeSchema]:
        """What is decoded into a type: all of it, or of a custom resource the metadata alone."""
        if not self.resource.custom:
            return self.value, self.schema
        return self.value.get("metadata"), self.schema.fields["metadata"]

    def _malformed(self, why: str) -> ApiError:
        if self.origin == "applied":
            namespace = f"{self.namespace}/" if self.namespace else ""
            version, kind = self.resource.api_version, self.resource.kind
            where = f"({namespace}{self.name}; {version}, Kind={kind})"
            text = f"failed to convert new object {where} to proper version ({version}): {why}"
            return ApiError(500, "", text)
        if self.origin == "patched":
            cause = Cause("FieldValueInvalid", "patch", f"Invalid value: {why}")
            text = f' "" is invalid: {cause.text()}'
            return ApiError(422, "Invalid", text, causes=[cause])
        return bad_request(self._cannot(why))

    def _cannot(self, why: str) -> str:
        kind, version = self.resource.kind, self.resource.version
        return f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'

    def _with_status(self, obj: Object) -> Object:
        made: Object = copied(self.live or {})
        if "status" in obj:
            made["status"] = obj["status"]
        given = obj.get("metadata") or {}
        for field in ("resourceVersion", "uid", "managedFields"):
            if field in given:
                made["metadata"][field] = given[field]
        return made

    def _begin(self, metadata: Object) -> None:
        """What a new object is given before anybody looks at it."""
        for field in _NOT_SENT:
            metadata.pop(field, None)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generated(metadata["generateName"])
        if not metadata.get("name"):
            raise invalid(self.resource, "", [required("metadata.name", _NO_NAME)])
        if self.resource.namespaced:
            metadata["namespace"] = self.namespace
            namespace_takes(self.cluster, self.resource, self.namespace, metadata.get("name", ""))
        metadata["uid"] = str(uuid.uuid4())

    def _held(self) -> list[str]:
        """The finalizers that may stand in the object: any, but none new while it is deleted."""
        live = (self.live or {}).get("metadata", {})
        given = (self.value.get("metadata") or {}).get("finalizers") or []
        return list(live.get("finalizers") or []) if "deletionTimestamp" in live else given

    def _new_finalizers(self, metadata: Object) -> Cause:
        added = [each for each in metadata["finalizers"] if each not in self._held()]
        listed = ", ".join(f'"{each}"' for each in added)
        why = (
            "no new finalizers can be added if the object is being deleted, found new finalizers "
            f"[]string{{{listed}}}"
        )
        return not_allowed("metadata.finalizers", why)

    def _complete(self, obj: Object) -> None:
        if self.resource.schema is not None:
            custom.default(obj, self.resource.schema)
            return
        default(self.resource, obj)
        prepare(self.cluster.store, self.resource, obj, self.live)
        canonical = quantities.canonicalize(obj, self.schema)
        obj.update(canonical)

    def _judge(self, obj: Object) -> None:
        causes = list(validate(self.resource, obj))
        if self.live is not None and self.subresource != "status":
            causes += changes(self.resource, obj, self.live)
            refused = growth(self.cluster.store, self.resource, obj, self.live)
            if refused is not None and not causes:
                raise refused
        if causes:
            name = obj["metadata"].get("name", "")
            raise invalid(self.resource, name, causes)


def same_kind(resource: Resource, value: Object) -> None:
    """400 when the body says another kind or version than the path."""
    version, kind = value.get("apiVersion"), value.get("kind")
    for field, given in (("Kind", kind), ("apiVersion", version)):
        if not given:
            raise bad_request(f"Object '{field}' is missing in the body of the request")
    version, kind = str(version), str(kind)
    if version != resource.api_version:
        raise bad_request(
            f"the API version in the data ({version[:100]}) does not match the expected API "
            f"version ({resource.api_version})"
        )
    if kind != resource.kind:
        raise bad_request(
            f'{kind[:100]} in version "{resource.version}" cannot be handled as a '
            f"{resource.kind}: the kind in the data does not match the path"
        )


def same_place(resource: Resource, value: Object, namespace: str, name: str) -> None:
    """400 when the body says another name or namespace than the path."""
    metadata = value.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    given = metadata.get("namespace")
    if given and resource.namespaced and given != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    given = metadata.get("name")
    if name and given and given != name:
        shown = str(given)[:100]
        raise bad_request(
            f"the name of the object ({shown}) does not match the name on the URL ({name})"
        )


def namespace_takes(cluster: Cluster, resource: Resource, namespace: str, name: str) -> None:
    """404 when the namespace is missing, 403 when it is going."""
    if not resource.namespaced:
        return
    kind = cluster.registry.of("Namespace", "")
    found = cluster.store.get(kind, None, namespace)
    if found is None:
        raise not_found(kind, namespace)
    if is_leaving(found):
        why = (
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        text = f"namespace {namespace} is being terminated"
        cause = Cause("NamespaceTerminating", "metadata.namespace", text)
        raise forbidden(resource, name, why, [cause])


__all__ = ["Candidate", "namespace_takes", "same_kind", "same_place"]
