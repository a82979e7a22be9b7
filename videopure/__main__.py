"`python -m videopure` is the `videopure` command."

import sys

from videopure.cli import main

if __name__ == "__main__":
    sys.exit(main())
