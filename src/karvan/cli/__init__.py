"""The command line: parses, calls one public function, prints.

Goes in: arguments. Comes out: text or JSON, and an exit code: 0 done, 1 our fault, 2 wrong input. May import: study and what lies below.
"""
