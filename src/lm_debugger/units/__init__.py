"""What can be read, named, ranked, edited and searched: one module or folder a kind. Importing it knows them all."""

from lm_debugger.units import dense  # noqa: F401  # they register themselves
from lm_debugger.units.attention import port as attention  # noqa: F401
from lm_debugger.units.experts import group as experts  # noqa: F401
from lm_debugger.units.heads import group as heads  # noqa: F401
