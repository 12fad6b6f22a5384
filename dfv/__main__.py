"""`python -m dfv` is `python -m dfv.main`."""

import sys

from dfv.main import main

if __name__ == "__main__":
    sys.exit(main())
