"""Where a stack's credentials are, in one secret or in three: a stack keeps what it has until somebody names another.

The template's default is for new stacks. A stack that fell back to it would have its functions read secrets that are
empty (docs/operations.md, One secret or three).
"""

from collections.abc import Mapping

from tools.deploy.stack import Stack
from tools.deploy.target import Target

LAYOUT = "SecretLayout"
# Of every stack that was made before there was a choice.
_FIRST = "one"
# The output of a stack that has the secrets of a layout, read or not.
_OUTPUT = {"one": "DokuSecretId", "three": "InboundSecretId"}


def kept_layout(stack: Stack | None) -> Mapping[str, str]:
    """Return the layout that a stack has; nothing for one that does not stand yet."""
    return {} if stack is None or not stack.outputs else {LAYOUT: stack.parameters.get(LAYOUT, _FIRST)}


def tell_kept_layout(target: Target, stack: Stack | None) -> str | None:
    """Say that a stack stays behind new ones; None where there is nothing to say."""
    if LAYOUT in target.named or kept_layout(stack).get(LAYOUT) != _FIRST:
        return None
    return (
        f"{LAYOUT} stays {_FIRST}, as this stack has it; new stacks have three, and how this one gets there is in "
        f"docs/operations.md (One secret or three). {LAYOUT}={_FIRST} in samconfig.toml ends this line"
    )


def layout_losses(stack: Stack | None, wanted: Mapping[str, str]) -> list[str]:
    """What is lost where a stack is to read secrets that it does not have yet: these would be made without a value."""
    before, after = kept_layout(stack).get(LAYOUT), wanted.get(LAYOUT, _FIRST)
    if stack is None or before in {None, after} or _OUTPUT[after] in stack.outputs:
        return []
    return [
        (
            f"{LAYOUT} {before} -> {after}: functions would read secrets without a value and answer 503; "
            "SecretLayoutChanges=true comes first (docs/operations.md, One secret or three)"
        )
    ]
