"""The environment of the function that authorises calls by access tokens: what no other function has."""

from collections.abc import Mapping
from dataclasses import dataclass

from direct_debit.adapters.access_tokens import Demands
from direct_debit.entrypoint.settings import ConfigurationError, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriserEnvironment:
    """Whose tokens count, and what their scopes are called."""

    demands: Demands
    jwks_url: str
    scope_prefix: str
    log_level: str
    service_name: str
    metrics_namespace: str


def read_authoriser_environment(variables: Mapping[str, str]) -> AuthoriserEnvironment:
    """Read and check the variables. Raises ConfigurationError that names every missing or wrong one at once."""
    reader = Reader(variables)
    reader.base_url("JWT_ISSUER")  # its form; the text itself counts, to its last slash
    environment = AuthoriserEnvironment(
        demands=Demands(
            issuer=reader.optional("JWT_ISSUER") or "",
            audiences=reader.words("JWT_AUDIENCE"),
            scopes_claim=reader.choice("JWT_SCOPES_CLAIM", ("scope", "scp", "roles"), "scope"),
            leeway=reader.seconds("JWT_LEEWAY_SECONDS", 60, least=0),
        ),
        jwks_url=reader.url("JWT_JWKS_URL"),
        scope_prefix=reader.optional("JWT_SCOPE_PREFIX") or "",
        log_level=reader.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "INFO"),
        service_name=reader.optional("POWERTOOLS_SERVICE_NAME") or "direct-debit",
        metrics_namespace=reader.optional("POWERTOOLS_METRICS_NAMESPACE") or "DirectDebit",
    )
    reader.text("JWT_AUDIENCE")
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return environment
