"""What the life of data needs beside the database: the keys, the index and the runs."""
