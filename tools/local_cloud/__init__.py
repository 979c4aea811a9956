"""The whole stack on one machine: the same template, an AWS emulator, a DOKU simulator. No Docker, no AWS account."""
