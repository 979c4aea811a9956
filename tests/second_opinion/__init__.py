"""The built artifact over another AWS: moto's server, AWS's own runtime client and emulator (`make second-opinion`)."""
