"""Who decides: the name that is kept with a decision."""

from __future__ import annotations

import getpass

from bursarbridge.errors import Refused


def logged_in() -> str:
    """The name of whoever is logged in. Raises Refused when there is none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container may run under a number that has no name.
        raise Refused('nobody can be named as the one who decides; add --by "NAME"') from None
