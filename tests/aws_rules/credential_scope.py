"""A SigV4 signature is for one service in one region, named in its scope; API Gateway takes it for no other.

The service of a REST API is `execute-api`. Another one, or another region, is refused with 403 and these words, before
the caller's rights are looked at.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (the scope);
https://github.com/aws/aws-sdk-js-v3/issues/1831 and https://github.com/aws/aws-sdk-js/issues/792 (AWS's words)
"""

SERVICE = "execute-api"
WRONG_SERVICE = f"Credential should be scoped to correct service: '{SERVICE}'. "


def wrong_region(region: str) -> str:
    """Return what is said of a signature for another region."""
    return f"Credential should be scoped to a valid region, not '{region}'. "
