"""The whole stack on one machine: the same template, an AWS emulator, a DOKU simulator. No Docker, no AWS account."""

from tools.local_cloud.stack import LocalStack, local_stack

__all__ = ["LocalStack", "local_stack"]
