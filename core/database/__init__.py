"""Django's PostgreSQL engine, with a cheaper health check of persistent connections."""
