"""The whole local stack as one context manager: `make run` and the end-to-end tests enter it; nothing is left after."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tools.deploy.deployment import Deployer, Place
from tools.deploy.emulator import BUCKET, emulator_place
from tools.deploy.failure import DeployError
from tools.deploy.target import Target, read_target
from tools.local_cloud import sam
from tools.local_cloud.aws import Cloud
from tools.local_cloud.caller import AccessKey, ApiCaller, create_caller
from tools.local_cloud.checkout import SAM_CONFIG
from tools.local_cloud.credentials import Credentials
from tools.local_cloud.demo_shop import demo_shop
from tools.local_cloud.emulator import emulator
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.issuer import AUDIENCE, SCOPES, Issuer, local_issuer
from tools.local_cloud.premises import Premises
from tools.local_cloud.progress import Progress
from tools.local_cloud.run_folder import run_folder
from tools.local_cloud.simulator import Simulator, simulator
from tools.local_cloud.webhook_receiver import WebhookReceiver, webhook_receiver
from tools.secret_fields import FIELDS

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType

_WHOLE = "DokuSecretId"
# The outputs of the template that name the credentials' secrets, of either layout.
_SECRETS = (_WHOLE, *(f"{part.capitalize()}SecretId" for part in FIELDS))


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A deployed stack with its simulator."""

    name: str
    api_url: str
    cloud: Cloud
    simulator: Simulator
    caller_key: AccessKey
    credentials: Credentials = field(repr=False)
    outputs: Mapping[str, str]
    folder: Path
    shop_url: str
    webhooks: WebhookReceiver
    issuer: Issuer = field(repr=False)
    auth_mode: str

    @property
    def simulator_url(self) -> str:
        """Where the simulated DOKU listens."""
        return self.simulator.url

    @property
    def bindings_table(self) -> str:
        """Name of the table of bindings."""
        return self.outputs["BindingsTableName"]

    @property
    def transactions_table(self) -> str:
        """Name of the table of payments."""
        return self.outputs["TransactionsTableName"]

    @property
    def secret_ids(self) -> tuple[str, ...]:
        """The secrets in which the credentials stand: one, or one for each part."""
        return tuple(self.outputs[name] for name in _SECRETS if name in self.outputs)

    def function_name(self, operation: str) -> str:
        """The deployed name of `functions/<operation>`, with its alias."""
        return f"{self.name}-{operation.replace('_', '-')}:live"

    def queue_url(self, queue: str) -> str:
        """The URL of a queue by its name in the template, e.g. `RefundRetryQueue` or `RefundRetryQueueDead`."""
        return self.outputs[f"{queue}Url"]

    def invoke(self, operation: str, event: Mapping[str, object]) -> object:
        """Call a function directly (its alias, as root) and return its JSON answer.

        A failed function raises LocalCloudError, which names the exception's class.
        """
        answer = self.cloud.functions().invoke(
            FunctionName=self.function_name(operation), Payload=json.dumps(event).encode()
        )
        result: object = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise LocalCloudError(f"{operation} failed: {result}")
        return result

    def signed(self) -> ApiCaller:
        """The API as the merchant's system calls it: with its key, or with access tokens that may do everything."""
        if self.auth_mode == "JWT":
            return ApiCaller(self.api_url, self.cloud.region, None, token=lambda: self.issuer.token(*SCOPES))
        return ApiCaller(self.api_url, self.cloud.region, self.caller_key)

    def unsigned(self) -> ApiCaller:
        """The API as a stranger calls it."""
        return ApiCaller(self.api_url, self.cloud.region, None)


@contextlib.contextmanager
def local_stack(
    progress: Progress | None = None,
    parameters: Mapping[str, str] | None = None,
    premises: Premises | None = None,
) -> Iterator[LocalStack]:
    """Build and deploy the template to an emulator beside a simulator: fresh ones, unless the premises keep data.

    `parameters` override those of samconfig.toml's local environment; emulator, simulator, demo shop and the
    receiver of webhooks listen on the loopback only. Raises LocalCloudError.
    """
    say = (progress or Progress(quiet=True)).say
    premises = premises or Premises()
    target = read_target(SAM_CONFIG, "local")
    with contextlib.ExitStack() as resources:
        folder = resources.enter_context(run_folder())
        say("starting the AWS emulator and the DOKU simulator")
        credentials = premises.credentials
        cloud = resources.enter_context(emulator(folder, target.region, premises))
        doku = resources.enter_context(
            simulator(folder, credentials, port=premises.ports["simulator"], memory=premises.memory)
        )
        shop_url = resources.enter_context(demo_shop(premises.ports["shop"]))
        webhooks = resources.enter_context(webhook_receiver(premises.ports["webhooks"], premises.webhook_key))
        issuer = resources.enter_context(local_issuer(premises.ports["issuer"], premises.client_secret))
        say(f"emulator {cloud.endpoint}, simulator {doku.url}, demo shop {shop_url}")

        built = sam.build(folder / "build.log")
        say("sam build done")
        api_url = f"{cloud.endpoint}/_aws/execute-api/{premises.api_id}/v1"
        found = {
            "Architecture": sam.ARCHITECTURE,
            "DokuBaseUrl": doku.url,
            "PublicBaseUrl": api_url,
            "DefaultSuccessUrl": f"{shop_url}/success",
            "DefaultFailedUrl": f"{shop_url}/failed",
            "WebhookUrl": webhooks.url,
            # Its tokens count where AuthMode is JWT.
            "JwtIssuer": issuer.url,
            "JwtAudience": AUDIENCE,
            "JwtJwksUrl": issuer.jwks_url,
        }
        # The emulator takes the API's id from this tag, so that its URL is known before.
        place = emulator_place(cloud, {"ms-custom-id": premises.api_id})
        _deploy(place, replace(target, given=parameters or {}), built, found, folder)
        say("deployed")

        outputs = _outputs(cloud, target.stack)
        _fill_secrets(cloud, outputs, credentials)
        if "WebhookSecretId" in outputs:
            cloud.secrets().put_secret_value(SecretId=outputs["WebhookSecretId"], SecretString=webhooks.key)
        doku.register_merchant(api_url)
        create_caller(cloud, premises.api_id, premises.caller_key)
        yield LocalStack(
            name=target.stack,
            api_url=api_url,
            cloud=cloud,
            simulator=doku,
            caller_key=premises.caller_key,
            credentials=credentials,
            outputs=outputs,
            folder=folder,
            shop_url=shop_url,
            webhooks=webhooks,
            issuer=issuer,
            auth_mode=(parameters or {}).get("AuthMode", "AWS_IAM"),
        )
        say("stopping")


def _deploy(place: Place, target: Target, built: Path, found: Mapping[str, str], folder: Path) -> None:
    """Deploy to the emulator as `make deploy` does, without a question."""
    region = cast("BucketLocationConstraintType", place.region)
    s3 = place.clients.s3
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": region})
    with (folder / "deploy.log").open("w", encoding="utf-8") as log:
        deployer = Deployer(place, lambda _: True, lambda text: print(text, file=log, flush=True))
        try:
            deployer.deploy(target, deployer.pack(target, built, folder), found)
        except DeployError as error:
            raise LocalCloudError(f"the deployment failed: {error}") from error


def _fill_secrets(cloud: Cloud, outputs: Mapping[str, str], credentials: Credentials) -> None:
    """Put the credentials into the one secret, or the fields of each part into its own."""
    texts = {_WHOLE: credentials.secret()}
    for part, names in FIELDS.items():
        own = {name: value for name, value in credentials.in_parts().items() if name in names}
        texts[f"{part.capitalize()}SecretId"] = json.dumps(own)
    for output, text in texts.items():
        if output in outputs:
            cloud.secrets().put_secret_value(SecretId=outputs[output], SecretString=text)


def _outputs(cloud: Cloud, stack_name: str) -> Mapping[str, str]:
    stack = cloud.cloudformation().describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
