"""The tests of Bureau, one folder per package; `tests.peers` starts the real things they talk to."""
