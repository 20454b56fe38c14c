"""Other programs' files, in and out: TNTP, GMNS, OMX, long-form tables, PyPSA.

Goes in: paths. Comes out: a RoadNetwork, a PowerSystem, frames of trips and of link flows. May import: results, network, demand, schema,
errors.
"""

from karvan.exchange.files import written_whole
from karvan.exchange.gmns import read_gmns, write_gmns
from karvan.exchange.long_form import read_links, read_trips, write_links, write_table, write_trips
from karvan.exchange.omx import read_omx, write_omx
from karvan.exchange.pypsa import read_pypsa, write_pypsa
from karvan.exchange.tntp import (
    TntpNetwork,
    read_tntp_flows,
    read_tntp_network,
    read_tntp_trips,
    write_tntp_flows,
    write_tntp_network,
    write_tntp_trips,
)

__all__ = [
    "TntpNetwork", "read_gmns", "read_links", "read_omx", "read_pypsa", "read_tntp_flows", "read_tntp_network", "read_tntp_trips",
    "read_trips", "write_gmns", "write_links", "write_omx", "write_pypsa", "write_table", "write_tntp_flows", "write_tntp_network",
    "write_tntp_trips", "write_trips", "written_whole",
]  # fmt: skip
