"""``python -m glassnet``: the same as ``glassnet``."""

from __future__ import annotations

from glassnet.cli.main import main

if __name__ == "__main__":
    main()
