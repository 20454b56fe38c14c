"""Packaged corridors: data only, one folder each. Nothing goes in; `karvan.corridor` reads them."""
