"""DOKU as a world has it: it knows the merchant's addresses, and no RSA key signs or is asked for."""

from tools.doku_simulator.config import MerchantEndpoints, ProviderVariant, SimulatorConfig


def configure_bank(client_id: str, secret_key: str, public_url: str, variant: ProviderVariant) -> SimulatorConfig:
    """Return the simulator's settings for a merchant whose API is at this address."""
    return SimulatorConfig(
        client_id=client_id,
        secret_key=secret_key,
        verify_asymmetric=False,
        sign_asymmetric=False,
        merchant=MerchantEndpoints(
            f"{public_url}/doku/authorization/v1/access-token/b2b",
            f"{public_url}/doku/v1.0/debit/notify",
            f"{public_url}/doku/v1.0/registration-account-binding/notify",
        ),
        variant=variant,
    )
