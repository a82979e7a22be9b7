"`python -m videopure` is the `videopure` command."

from videopure.cli import start

if __name__ == "__main__":
    start()
