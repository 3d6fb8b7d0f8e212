"""Every value vector of the network, searched in weight space."""
