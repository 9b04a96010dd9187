"""How long what the office holds stays, and how it goes: data map, retention, trash, erasure, proof, backups."""
