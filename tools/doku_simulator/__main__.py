"""Run the simulator: `python -m tools.doku_simulator --port 0 --config FILE --port-file FILE`."""

import argparse
import contextlib
import json
import os
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from random import Random, SystemRandom

import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.doku_simulator.config import ConfigError, SimulatorConfig, read_config
from tools.doku_simulator.memory import load, save
from tools.doku_simulator.server.app import create_app
from tools.doku_simulator.server.connections import DroppableProtocol
from tools.doku_simulator.server.service import Service
from tools.doku_simulator.signing import private_pem, public_pem

_KEY_BITS = 2048


def main() -> int:
    """Start the server and block until SIGTERM or Ctrl-C; returns the exit status."""
    options = _options()
    try:
        config = _own_config(options.credentials_file) if options.config is None else _file_config(options.config)
    except (OSError, ConfigError) as error:
        print(f"doku_simulator: {error}", file=sys.stderr)
        return 2
    seed: int | None = options.seed
    service = Service(config, lambda: datetime.now(UTC), lambda: SystemRandom() if seed is None else _seeded(seed))
    memory: Path | None = options.memory
    if memory is not None:
        load(service.simulator, memory)
    listener = socket.create_server((options.host, options.port))
    port: int = listener.getsockname()[1]
    url = f"http://{options.host}:{port}"
    if config.public_base_url == SimulatorConfig.__dataclass_fields__["public_base_url"].default:
        service.simulator.world.public_base_url = url
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(service, None if memory is None else lambda: save(service.simulator, memory)),
            http=DroppableProtocol,
            ws="none",
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            # a hanging answer must not keep the process alive
            timeout_graceful_shutdown=0,
        )
    )
    if options.port_file is not None:
        _write_whole(options.port_file, f"{port}\n")
    print(f"DOKU simulator: {url}/ (what happened), {url}/_control/health (controls)", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools.doku_simulator", description="DOKU and CIMB on one machine")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--config", type=Path, help="JSON configuration; without it, keys are generated")
    parser.add_argument("--port-file", type=Path, help="where to write the port once it is bound")
    parser.add_argument("--credentials-file", type=Path, help="without --config: where to write the merchant's secret")
    parser.add_argument("--memory", type=Path, help="a file that keeps what DOKU knows from one run to the next")
    parser.add_argument("--seed", type=int, help="make ids and tokens repeatable")
    return parser.parse_args()


def _seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - repeatable ids are what was asked for


def _file_config(path: Path) -> SimulatorConfig:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path} must hold a JSON object")
    return read_config(document)


def _own_config(credentials_file: Path | None) -> SimulatorConfig:
    """Return a configuration of fresh keys and tell the merchant's half of them."""
    merchant = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    doku = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    config = SimulatorConfig(
        client_id="BRN-0000-0000000000001",
        secret_key=f"SK-simulator-{SystemRandom().getrandbits(128):032x}",
        merchant_public_key=merchant.public_key(),
        doku_private_key=doku,
    )
    secret = {
        "clientId": config.client_id,
        "secretKey": config.secret_key,
        "merchantPrivateKey": private_pem(merchant),
        "dokuPublicKey": public_pem(doku.public_key()),
    }
    text = json.dumps(secret, indent=2)
    if credentials_file is None:
        print(f"No --config: keys made for this run. The merchant's side needs (test-only):\n{text}")
    else:
        _write_whole(credentials_file, text, mode=0o600)
        print(f"No --config: keys made for this run; the merchant's secret is in {credentials_file}")
    print('Say where notifications go: POST /_control/merchant {"tokenUrl", "notifyUrl", "bindingNotifyUrl"}')
    return config


def _write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader never sees half of it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.touch(mode)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
