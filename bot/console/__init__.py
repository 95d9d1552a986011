"""The web page of agents, leads, administrators and the data protection officer."""
