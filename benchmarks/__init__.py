"""Measures how fast the debugger is against the plain model, as ratios within one run: `make bench`."""

from lm_debugger.threads import wait_asleep

wait_asleep()  # before torch is loaded: as the command line does
