"""A kubeconfig, reduced to what a connection needs.

Such a file can name programs to run and files to read on the machine of whoever loads it, and here
that would be our machine. So it is read as data, little is accepted, and the rest refused by name.
"""

import re
from typing import Any

from app.domain.access import Access, BearerToken, ClientCertificate
from app.domain.errors import FieldProblem, Invalid
from app.domain.importing.source import Dialect, documents
from app.kube import certificates
from app.kube.addresses import check_server_name
from app.kube.proofs import check_token

LONGEST = 512 * 1024
"""Characters of a kubeconfig."""
_MOST_NAMED = 20
_FIELD = re.compile("[A-Za-z]+(?:-[A-Za-z]+)*")
_COMMANDS = "It names a program to run, which this server doesn't do: give a token or certificate."
_FILES = "It names a file on a disk that isn't ours: give its content, in '{}'."
_REFUSED = {
    "cluster": {
        "certificate-authority": _FILES.format("certificate-authority-data"),
        "insecure-skip-tls-verify": "Certificates are always checked: give the cluster's "
        "'certificate-authority-data'.",
        "proxy-url": "Proxies are not supported.",
    },
    "user": {
        "exec": _COMMANDS,
        "auth-provider": "Plug-ins are not supported: for OpenID Connect choose that kind of "
        "credentials.",
        "tokenFile": _FILES.format("token"),
        "client-certificate": _FILES.format("client-certificate-data"),
        "client-key": _FILES.format("client-key-data"),
        "username": "Passwords are not supported: give a token or certificate.",
        "password": "Passwords are not supported: give a token or certificate.",
        "as": "Acting as somebody else is not supported.",
        "as-uid": "Acting as somebody else is not supported.",
        "as-groups": "Acting as somebody else is not supported.",
        "as-user-extra": "Acting as somebody else is not supported.",
    },
}
_ACCEPTED = {
    "cluster": {
        "server",
        "certificate-authority-data",
        "tls-server-name",
        "disable-compression",
        "extensions",
    },
    "user": {"token", "client-certificate-data", "client-key-data", "extensions"},
}


def read_kubeconfig(text: str, *, context: str | None = None) -> Access:
    """What the kubeconfig says about one context: the named one, `current-context`, the only one.

    Raises Invalid; each problem's path is `kubeconfig` and the field, as in
    `("kubeconfig", "users[0].user.exec")`. Values are never repeated, but for names of entries.
    The server's address is not checked against any policy here.
    """
    return _Reading(_parse(text)).access(context)


def _problem(field: str, message: str) -> Invalid:
    return Invalid.field(("kubeconfig", field) if field else ("kubeconfig",), message)


def _parse(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise _problem("", f"It is longer than {LONGEST} characters.")
    try:
        found = documents(text, Dialect.KUBERNETES, path=("kubeconfig",))
    except Invalid as error:
        message = error.problems[0].message
        # What the reader of YAML says can quote the text, and there are secrets in it.
        if message.startswith("This is not valid YAML"):
            line = re.search(r"\(line [0-9]+\)", message)
            message = f"This is not valid YAML or JSON{' ' + line[0] if line else ''}."
        raise _problem("", message) from None
    if len(found) != 1 or not isinstance(found[0], dict):
        raise _problem("", "Send one kubeconfig: a mapping with clusters, users and contexts.")
    return found[0]


class _Reading:
    """One kubeconfig, and what is wrong with it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._problems: list[FieldProblem] = []

    def access(self, context: str | None) -> Access:
        at, chosen = self._entry("contexts", "context", self._context_name(context), "context")
        cluster_at, cluster = self._named(chosen, at, "clusters", "cluster")
        user_at, user = self._named(chosen, at, "users", "user")
        self._refuse("cluster", cluster, cluster_at)
        self._refuse("user", user, user_at)
        server = self._text(cluster, "server", cluster_at)
        name = self._text(cluster, "tls-server-name", cluster_at)
        ca = self._text(cluster, "certificate-authority-data", cluster_at)
        wrong = check_server_name(name) if name else None
        if wrong:
            self._note(f"{cluster_at}.tls-server-name", wrong)
        if ca:
            ca = self._authorities(ca, f"{cluster_at}.certificate-authority-data")
        if not server and not self._problems:
            self._note(f"{cluster_at}.server", "The address of the API server is missing.")
        proof = self._proof(user, user_at)
        if self._problems or proof is None or server is None:
            raise Invalid(self._problems)
        return Access(server=server, ca=ca, tls_server_name=name, proof=proof)

    def _context_name(self, wanted: str | None) -> str:
        if wanted:
            return wanted
        current = self._config.get("current-context")
        if isinstance(current, str) and current:
            return current
        named = [name for _, name, _ in self._entries("contexts", "context")]
        if len(named) == 1:
            return named[0]
        if not named:
            raise _problem("contexts", "It has no context.")
        raise _problem("current-context", f"It has several contexts, say which: {_list(named)}.")

    def _entries(self, section: str, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Where each entry is, its name, and what it holds."""
        entries = self._config.get(section) or []
        if not isinstance(entries, list):
            raise _problem(section, "This has to be a list.")
        found = []
        for index, entry in enumerate(entries):
            at = f"{section}[{index}]"
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                raise _problem(at, "An entry has to be a mapping with a name.")
            held = entry.get(kind) or {}
            if not isinstance(held, dict):
                raise _problem(f"{at}.{kind}", "This has to be a mapping.")
            found.append((f"{at}.{kind}", entry["name"], held))
        return found

    def _entry(
        self, section: str, kind: str, name: str, referrer: str
    ) -> tuple[str, dict[str, Any]]:
        entries = self._entries(section, kind)
        for at, known, held in entries:
            if known == name:
                return at, held
        there = _list([known for _, known, _ in entries]) or "none"
        raise _problem(referrer, f"There is no entry '{_short(name)}' in {section}: {there}.")

    def _named(
        self, context: dict[str, Any], at: str, section: str, kind: str
    ) -> tuple[str, dict[str, Any]]:
        name = context.get(kind)
        if not isinstance(name, str) or not name:
            raise _problem(f"{at}.{kind}", f"The context doesn't name its {kind}.")
        return self._entry(section, kind, name, f"{at}.{kind}")

    def _refuse(self, kind: str, held: dict[str, Any], at: str) -> None:
        for field, value in held.items():
            if value in (None, "", False, [], {}) or field in _ACCEPTED[kind]:
                continue
            unknown = f"This is no field of a {kind} that is supported."
            # What is no field's name may be a secret in the wrong place.
            where = f"{at}.{field}" if _FIELD.fullmatch(field) else at
            self._note(where, _REFUSED[kind].get(field, unknown))

    def _proof(self, user: dict[str, Any], at: str) -> BearerToken | ClientCertificate | None:
        token = self._text(user, "token", at)
        certificate = self._text(user, "client-certificate-data", at)
        key = self._text(user, "client-key-data", at)
        if token and (certificate or key):
            self._note(at, "It has a token and a client certificate: leave one of them.")
        elif token:
            wrong = check_token(token)
            if not wrong:
                return BearerToken(token=token)
            self._note(f"{at}.token", wrong)
        elif certificate and key:
            return self._pair(certificate, key, at)
        elif certificate or key:
            missing = "client-key-data" if certificate else "client-certificate-data"
            self._note(f"{at}.{missing}", "This is missing: certificate and key go together.")
        elif not self._problems:
            self._note(at, "It has neither a token nor a client certificate with its key.")
        return None

    def _pair(self, certificate: str, key: str, at: str) -> ClientCertificate | None:
        try:
            return certificates.read_pair(
                certificate,
                key,
                certificate_path=("kubeconfig", f"{at}.client-certificate-data"),
                key_path=("kubeconfig", f"{at}.client-key-data"),
            )
        except Invalid as error:
            self._problems += error.problems
            return None

    def _authorities(self, text: str, at: str) -> str | None:
        try:
            return certificates.read_authorities(text, path=("kubeconfig", at))
        except Invalid as error:
            self._problems += error.problems
            return None

    def _text(self, held: dict[str, Any], field: str, at: str) -> str | None:
        value = held.get(field)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return value.strip()
        self._note(f"{at}.{field}", "This has to be text.")
        return None

    def _note(self, field: str, message: str) -> None:
        self._problems.append(FieldProblem(("kubeconfig", field), message))


def _short(name: str) -> str:
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return printable if len(printable) <= 80 else f"{printable[:79]}…"


def _list(names: list[str]) -> str:
    listed = ", ".join(f"'{_short(name)}'" for name in names[:_MOST_NAMED])
    return f"{listed} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else listed
