"""Who decides about a deployment: the person who is asked once, or the rule for machines."""

from tools.deploy.deployment import Proposal
from tools.deploy.failure import DeployError


def approve(proposal: Proposal) -> bool:
    """Show what changes and ask; where something is lost, for the stack's name."""
    _show(proposal)
    if proposal.losses:
        return _answer(f"Something would be lost. Type {proposal.stack} to deploy all the same: ") == proposal.stack
    return _answer(f"Deploy this to {proposal.stack}? [y/N] ").lower() in {"y", "yes"}


def approve_unasked(proposal: Proposal) -> bool:
    """Show what changes and go on. Raises DeployError where a person has to decide."""
    _show(proposal)
    if proposal.losses:
        raise DeployError("something would be lost, which only a person may decide: the same command without YES=1")
    if proposal.fallbacks:
        names = ", ".join(f"{change.name}={change.before}" for change in proposal.fallbacks)
        raise DeployError(
            f"an earlier choice about money would be taken back unseen ({names}): "
            "put it into samconfig.toml or SET, or deploy without YES=1"
        )
    return True


def _show(proposal: Proposal) -> None:
    print("\n".join(["", *proposal.lines, ""]), flush=True)


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        raise DeployError("nobody is there to be asked; YES=1 deploys without a question") from None
