"""The client of the hosted service: what a device asks of it over HTTP."""
