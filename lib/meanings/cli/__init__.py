"""The command line: `meanings ...`."""
