"""CloudFormation types of the emulator, by service."""
