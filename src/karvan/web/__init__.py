"""The server of the screen: saved runs to look at, new ones to start, one year to move; nothing leaves the machine.

Goes in: a corridor's name, a folder of runs. Comes out: HTTP answers, as `docs/reference/rest.md` says. May import: everything below
it (study, report, validation, measures, results, corridor, ...); nothing may import it but the command line, which starts it.
"""

from karvan.web.settings import Settings

__all__ = ["Settings"]
