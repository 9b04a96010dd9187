"""What the life of data needs beside the database: runs to stop, files, the index, keys, and the clock."""
