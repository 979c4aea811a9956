"""POST /doku/authorization/v1/access-token/b2b: DOKU asks us for a token. Public, proved by RSA (contract 3.10)."""

from direct_debit.entrypoint.inbound import open_token_door

handler = open_token_door(uses=("inbound",))
