"""The office’s account at a hosted service: devices, keys, deletion, receipts."""
