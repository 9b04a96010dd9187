"""``python -m desktop`` is ``bureau``."""

from desktop.command_line import program

if __name__ == "__main__":
    program()
