"""The most that anything a person sends may hold, stated once; HTTP, command line, Python and files keep to it.

A server may be stricter by its settings. Lengths are in characters.
"""

EDIT = 2_000  # the text of one edit; a long list of positions needs some
EDITS = 10_000  # in one recipe or run
AMOUNT = 1e30  # a number in an edit: products with a coefficient and a vector's length stay finite in float32
UNIT_NAME = 64  # such as L12E3D45
NAME = 100  # what users call a vector, a cluster, a recipe
NOTE = 10_000
TITLE = 200  # of a run
PROMPT = 100_000  # as a server takes and keeps it; a trace in Python is limited by its memory instead
VIEW = 20_000  # how the page shows a run
RECIPE = 1_000_000  # a recipe's file
QUERY = 2_000  # the keywords of a search, and the same again for unwanted ones
LENS_NAME = 40
KEYWORDS = 64  # in one query
PATTERNS = 16  # regular expressions in one query
PATTERN_BYTES = 2 << 20  # memory of one compiled regular expression
WATCH = 500  # the text of one watch or breakpoint
WATCH_DEPTH = 40  # of its parts inside one another
WATCHES = 32  # followed at once
BREAKPOINTS = 32  # of a session
SESSION_TOKENS = 200  # generated on a branch where nobody says how many
SESSION_TOKENS_MOST = 4_096
SESSION_NODES = 20_000  # positions of a session's tree
BISECT_TOKENS = 30  # that two models write where nobody says how many
BISECT_TOKENS_MOST = 1_000  # before they are taken to agree
