"""A corridor: the folder people edit, read and checked, and its state in one year.

Goes in: a folder of CSV tables and YAML files, or the name of a packaged case. Comes out: `Corridor` and `Snapshot`, frozen nouns, or a
DataError with every problem of the folder. May import: network, demand, evidence, schema, errors.
"""

from karvan.corridor.corridor import Corridor, Snapshot, rows_digest
from karvan.corridor.edit import overlay, set_cell, with_value
from karvan.corridor.load import check_corridor, corridor_folder, load_corridor, new_corridor, packaged_corridors
from karvan.corridor.manifest import Manifest
from karvan.corridor.ranges import Range, Ranges, range_of, read_ranges
from karvan.corridor.rows import cell_problems, repeated_keys, row_problems, typed_rows
from karvan.corridor.tables import NOT_INPUTS, OPTIONAL_TABLES, TABLES, columns_of, key_texts, metadata_of, nearest, nearest_words, unit_of
from karvan.corridor.whole import table_problems

__all__ = [
    "NOT_INPUTS", "OPTIONAL_TABLES", "TABLES", "Corridor", "Manifest", "Range", "Ranges", "Snapshot", "cell_problems", "check_corridor",
    "columns_of", "corridor_folder", "key_texts", "load_corridor", "metadata_of", "nearest", "nearest_words", "new_corridor", "overlay",
    "packaged_corridors", "range_of", "read_ranges", "repeated_keys", "row_problems", "rows_digest", "set_cell", "table_problems",
    "typed_rows", "unit_of", "with_value",
]  # fmt: skip
