"""AWS on this machine: an emulator that the real CDK CLI deploys to."""
