"""What lasts: the encrypted database, files, recall and the readers of documents."""
