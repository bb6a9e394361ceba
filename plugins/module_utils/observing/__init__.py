"""What reads a host, passively: files, processes, sockets and units, each from wherever it is told to look."""
