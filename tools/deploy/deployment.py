"""Deploying: package, show what changes, ask once, do it, and prove that callers reach it; or go back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.change_set import (
    FAILED_CREATION,
    ChangeSet,
    Wanted,
    delete_failed_creation,
    drop_change_set,
    execute_change_set,
    make_change_set,
)
from tools.deploy.changes import ParameterChange, losses, parameter_changes, show_changes
from tools.deploy.clients import Clients
from tools.deploy.failure import DeployError
from tools.deploy.history import Deployment, Shelf, find_bucket, mark, read_deployed, read_mark
from tools.deploy.package import package
from tools.deploy.parameters import resolve_parameters
from tools.deploy.secret_layout import layout_losses
from tools.deploy.stack import Stack, find_stack
from tools.deploy.stamp import stamp_template
from tools.deploy.target import Target
from tools.deploy.template import Node


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region, or an emulator. `poll` is the pause between two looks at a change, in seconds.

    `sam_environment` are the variables with which SAM reaches it; `bucket` is where code goes, None for SAM's own.
    `tags` are put on the stack beside those that it has.
    """

    clients: Clients
    region: str
    sam_environment: Mapping[str, str]
    bucket: str | None
    tags: Mapping[str, str]
    poll: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is asked of a person before it is done."""

    stack: str
    lines: Sequence[str]
    losses: Sequence[str]
    fallbacks: Sequence[ParameterChange]  # about money, and named nowhere: an earlier choice would be taken back


@dataclass(frozen=True, slots=True)
class Deployer:
    """Deploys to one place. `ask` decides about a proposal, `say` tells how far it is."""

    place: Place
    ask: Callable[[Proposal], bool]
    say: Callable[[str], None]

    def pack(self, target: Target, built: Path, folder: Path) -> Node:
        """Upload a build and return its template; SAM's words go to `folder`. Raises LocalCloudError."""
        return package(
            built,
            folder,
            prefix=target.prefix,
            bucket=self.place.bucket,
            environment=self.place.sam_environment,
            log=folder / "package.log",
        )

    def deploy(self, target: Target, packaged: Node, found: Mapping[str, str]) -> Deployment:
        """Deploy what was packed, with the target's parameters and what was found out about the others.

        Returns what is there now. Raises DeployError.
        """
        stack = self._ready(target.stack)
        values = resolve_parameters(packaged, target, found)
        current = None if stack is None else read_mark(self._deployed(stack))[0]
        deployment = mark(stamp_template(packaged, values), current, values)
        shelf = Shelf(self.place.clients, self.place.region, find_bucket(packaged), target.prefix)
        return self._apply(stack, target, deployment, shelf.put(deployment), target.named)

    def go_back(self, target: Target) -> Deployment:
        """Deploy what was there before the present deployment, with its parameters; again, and it is the one before."""
        stack = self._ready(target.stack)
        if stack is None:
            raise DeployError(f"there is no stack {target.stack} to take back")
        deployed = self._deployed(stack)
        present, before = read_mark(deployed)
        if before is None:
            raise DeployError(
                "there is nothing to go back to: this is the first deployment by `make deploy`"
                if present
                else "the stack was not deployed by `make deploy`, so what was before is not known"
            )
        shelf = Shelf(self.place.clients, self.place.region, find_bucket(deployed), target.prefix)
        deployment, address = shelf.get(before)
        self.say(f"going back from {present} to {before}")
        return self._apply(stack, target, deployment, address, deployment.parameters)

    def _ready(self, name: str) -> Stack | None:
        stack = find_stack(self.place.clients, name)
        if stack is None:
            return None
        if stack.status in FAILED_CREATION:
            self.say(f"{name} is {stack.status}: removing what the failed creation left")
            delete_failed_creation(self.place.clients, stack, self.place.poll)
            return None
        if stack.status.endswith(("_FAILED", "_IN_PROGRESS")) and stack.status != "REVIEW_IN_PROGRESS":
            raise DeployError(
                f"{name} is {stack.status}: wait until that has ended; of UPDATE_ROLLBACK_FAILED, "
                f"`aws cloudformation continue-update-rollback --stack-name {name}` is the way out"
            )
        return stack

    def _deployed(self, stack: Stack) -> Node:
        return {} if stack.status == "REVIEW_IN_PROGRESS" else read_deployed(self.place.clients, stack.name)

    def _apply(
        self, stack: Stack | None, target: Target, deployment: Deployment, address: str, named: Mapping[str, str]
    ) -> Deployment:
        change_set = make_change_set(
            self.place.clients,
            stack,
            target.stack,
            Wanted(address, deployment.parameters),
            tags={**({} if stack is None else stack.tags), **self.place.tags},
            poll=self.place.poll,
        )
        if change_set.id is None:
            self.say("nothing changes")
            return deployment
        wanted = False
        try:
            wanted = self.ask(_propose(stack, target, deployment, change_set, named))
        finally:
            if not wanted:
                drop_change_set(self.place.clients, change_set)
        if not wanted:
            raise DeployError("not deployed; nothing has changed")
        execute_change_set(self.place.clients, change_set, self.say, self.place.poll)
        return deployment


def _propose(
    stack: Stack | None, target: Target, deployment: Deployment, change_set: ChangeSet, named: Mapping[str, str]
) -> Proposal:
    before = {} if stack is None else stack.parameters
    parameters = parameter_changes(deployment.template, before, deployment.parameters, named) if before else []
    lost = [*losses(change_set.changes), *layout_losses(stack, deployment.parameters)]
    return Proposal(
        target.stack,
        show_changes(parameters, change_set.changes, lost),
        lost,
        [one for one in parameters if one.about_money and not one.named and one.before is not None],
    )
