"""What the signing layer is told of the environment: where DOKU is, and each choice that the contract leaves open."""

from direct_debit.entrypoint.settings import DOKU_UNTIED_FIELDS, ConfigurationError, Environment
from doku_snap.errors import InvalidSetting
from doku_snap.settings import ClientSettings


def make_client_settings(environment: Environment) -> ClientSettings:
    """Return the settings of the signing layer. Raises ConfigurationError."""
    try:
        return ClientSettings(
            base_url=environment.doku_base_url,
            paths=environment.doku_paths,
            channel_id=environment.doku_channel_id,
            otp_field=environment.doku_otp_field,
            otp_payment_value=environment.doku_otp_payment_value,
            otp_unbinding_value=environment.doku_otp_unbind_value,
            status_service_code=environment.doku_status_service_code,
            untied_fields=environment.doku_untied_fields,
            # The environment's check lets plain http pass for this machine only.
            allow_plain_http=environment.doku_base_url.lower().startswith("http://"),
        )
    except InvalidSetting as error:
        # Only this one has no definition in the environment's check; any other would be a defect, and is named too.
        name = DOKU_UNTIED_FIELDS if error.setting == "untied_fields" else f"the setting {error.setting}"
        raise ConfigurationError([f"{name} {error.rule}"]) from None
