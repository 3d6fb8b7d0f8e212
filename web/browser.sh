# Sets LM_DEBUGGER_CHROMIUM, or fetches Playwright's own browser. Read by `make` before the page is driven.
if [ -z "${LM_DEBUGGER_CHROMIUM:-}" ]; then
  if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
  fi
  if command -v chromium >/dev/null; then
    export LM_DEBUGGER_CHROMIUM="$(command -v chromium)"
  else
    (cd web && npx playwright install chromium)
  fi
fi
