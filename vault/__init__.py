"""What is secret: the keyring or passphrase vault, the recovery key, redaction."""
