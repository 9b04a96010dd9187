"""The composer: where a message is written, with its files, agent, model and price."""
