"""The HTTP API on one loaded model, and the web page that uses it."""
