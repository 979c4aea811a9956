"""What the owner of an access token may call: asked by API Gateway where `AuthMode` is JWT."""

from direct_debit.entrypoint.authoriser import open_authoriser

handler = open_authoriser("authorise_call")
