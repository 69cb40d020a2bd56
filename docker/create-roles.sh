#!/bin/sh
# Runs once, when the database's volume is empty: three roles, and a database that the owner role owns.
# The owner migrates; the application's role may not change history; the retention role deletes what is due.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" \
  --set retention_password="$RETENTION_PASSWORD" <<'SQL'
CREATE ROLE openhours_owner LOGIN CREATEROLE PASSWORD :'owner_password';
CREATE ROLE openhours_app LOGIN PASSWORD :'app_password';
CREATE ROLE openhours_retention LOGIN PASSWORD :'retention_password';
GRANT openhours_app, openhours_retention TO openhours_owner WITH ADMIN TRUE, INHERIT FALSE;
CREATE DATABASE openhours OWNER openhours_owner;
\connect openhours
CREATE EXTENSION btree_gist;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION unaccent;
CREATE EXTENSION citext;
SQL
