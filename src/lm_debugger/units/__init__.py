"""What can be read, named, ranked, edited and searched, one module a kind."""
