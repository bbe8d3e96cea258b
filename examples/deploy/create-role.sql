-- Run by psql when the container creates the server's data. The app's role owns its database, and is no
-- superuser.
\set password `cat /run/secrets/db_password`
CREATE ROLE app LOGIN PASSWORD :'password';
CREATE DATABASE app OWNER app;
