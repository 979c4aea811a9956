"""The ports, implemented over AWS and DOKU."""
