"""A corridor: the folder people edit, read and checked, and its state in one year.

Goes in: a folder of CSV tables and YAML files, or the name of a packaged case. Comes out: `Corridor` and `Snapshot`, frozen nouns, or a
DataError with every problem of the folder. May import: network, demand, evidence, schema, errors.
"""

from karvan.corridor.corridor import Corridor, Snapshot
from karvan.corridor.edit import overlay, with_value
from karvan.corridor.load import check_corridor, corridor_folder, load_corridor, new_corridor, packaged_corridors
from karvan.corridor.manifest import Manifest
from karvan.corridor.rows import row_problems, typed_rows
from karvan.corridor.tables import OPTIONAL_TABLES, TABLES, key_texts
from karvan.corridor.whole import table_problems

__all__ = [
    "OPTIONAL_TABLES", "TABLES", "Corridor", "Manifest", "Snapshot", "check_corridor", "corridor_folder", "key_texts", "load_corridor",
    "new_corridor", "overlay", "packaged_corridors", "row_problems", "table_problems", "typed_rows", "with_value",
]  # fmt: skip
