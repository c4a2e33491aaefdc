#!/bin/sh
# Run once by the database's image, when the volume is new: who may log in for what. Tables and rights come with `allons migrate`.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$ALLONS_DB_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE allons_app NOLOGIN;
CREATE ROLE allons_solver NOLOGIN;
CREATE ROLE allons_auditor NOLOGIN;
-- the service takes on one of its roles in each transaction and has no right of its own
CREATE ROLE allons_service LOGIN NOINHERIT PASSWORD :'password' IN ROLE allons_app, allons_solver;
SQL
