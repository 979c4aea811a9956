"""Evidence as attributes of its record, under a prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.items import instant, read_choice, read_instant, read_text_or_none, text
from direct_debit.domain.evidence import Evidence, EvidenceSource

if TYPE_CHECKING:
    from direct_debit.adapters.dynamodb.items import AttributeValue, Item


def write_evidence(evidence: Evidence, prefix: str) -> dict[str, AttributeValue]:
    """Return the attributes `<prefix>Source`, `<prefix>At` and, where there was a code, `<prefix>Code`."""
    attributes = {prefix + "Source": text(evidence.source.value), prefix + "At": instant(evidence.at)}
    if evidence.code is not None:
        attributes[prefix + "Code"] = text(evidence.code)
    return attributes


def read_evidence(item: Item, prefix: str) -> Evidence:
    """Return the evidence of a record. Raises MalformedItem."""
    return Evidence(
        source=read_choice(item, prefix + "Source", EvidenceSource),
        at=read_instant(item, prefix + "At"),
        code=read_text_or_none(item, prefix + "Code"),
    )
