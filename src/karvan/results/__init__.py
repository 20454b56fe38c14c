"""What comes out: outlooks, runs, ladders; saving and loading them.

Goes in: plain numbers and frames from the engines. Comes out: frozen results and run folders. May import: corridor, schema, errors.
"""

from karvan.results.ladder import Ladder, LadderRung
from karvan.results.outlook import Outlook, YearResult
from karvan.results.run import Run
from karvan.results.store import existing_run, load_manifest, save_run, write_text_whole

__all__ = ["Ladder", "LadderRung", "Outlook", "Run", "YearResult", "existing_run", "load_manifest", "save_run", "write_text_whole"]
