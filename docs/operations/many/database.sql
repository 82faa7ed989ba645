-- Once, on a new PostgreSQL, as its own user: DATABASE_PASSWORD=… psql --file database.sql
\getenv password DATABASE_PASSWORD
CREATE ROLE desk LOGIN PASSWORD :'password';
CREATE DATABASE desk OWNER desk ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE desk FROM PUBLIC;
