"""The Sync page: the same office on several devices, off until its owner turns it on."""
