"""`python -m lm_debugger` is the command line."""

import sys

from lm_debugger.cli.app import main

sys.exit(main())
