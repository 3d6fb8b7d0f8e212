"""The routes, one file for each noun. Each reads its request, asks the model's worker, and answers with a record."""
