"""The user's verbs joined on one loaded model."""
