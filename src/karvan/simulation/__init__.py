"""Crossings, ports, borders and yards, hour by hour.

Goes in: the tables of a snapshot and what comes by train and truck. Comes out: waits, throughputs, what a facility can do at most and how
its delay grows. May import: results, corridor, network, schema, errors.
"""
