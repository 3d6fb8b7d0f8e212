# Prints the wire types of the server that is in this checkout, without a server running. Used by `npm run types` and
# by the test that tells whether they are stale. The schema is the app's own: no model is loaded for it.
set -euo pipefail
"${LM_DEBUGGER_PYTHON:-../.venv/bin/python}" - <<'PYTHON' | openapi-typescript
import json
from lm_debugger.server.app import create_app
from lm_debugger.server.settings import Settings

print(json.dumps(create_app(Settings(database="sqlite://")).openapi()))
PYTHON
