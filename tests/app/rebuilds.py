"""Changes the table `users` with the tools that apps use.

The arguments are names of tools. Each tool changes its own database, NAME.db in the current
directory. Prints a line for each tool: its name, and after a tab the error if it failed.
"""

import contextlib
import pathlib
import shutil
import sqlite3
import sys

TOOLS = {}


def tool(name):
    def register(function):
        TOOLS[name] = function
        return function

    return register


# Alembic


def alembic(change, *, autocommit=False):
    """Runs operations as a migration does."""

    def migrate(database):
        import sqlalchemy
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        level = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
        engine = sqlalchemy.create_engine(f"sqlite:///{database}", **level)
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"render_as_batch": True})
            with context.begin_transaction():
                change(Operations(context), sqlalchemy)
            if not autocommit:
                connection.commit()
        engine.dispose()

    return migrate


def add_column(op, sa):
    with op.batch_alter_table("users") as batch:
        batch.add_column(sa.Column("email", sa.String()))


def alter_column(op, sa):
    with op.batch_alter_table("users") as batch:
        batch.alter_column("language", type_=sa.String(20), nullable=True)


def drop_column(op, sa):
    add_column(op, sa)
    with op.batch_alter_table("users") as batch:
        batch.drop_column("email")


TOOLS["alembic-add-column"] = alembic(add_column)
TOOLS["alembic-alter-column"] = alembic(alter_column)
TOOLS["alembic-drop-column"] = alembic(drop_column)
TOOLS["alembic-autocommit"] = alembic(drop_column, autocommit=True)

REVISION = '''
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    with op.batch_alter_table("users") as batch:
        batch.alter_column("language", existing_type=sa.Text(), nullable=True)
'''


def flask_app(database, options):
    """An app whose model of `users` has one more column than the table."""
    from flask import Flask
    from flask_migrate import Migrate, init
    from flask_sqlalchemy import SQLAlchemy

    db = SQLAlchemy()

    class User(db.Model):
        __tablename__ = "users"
        username = db.Column(db.Text, primary_key=True)
        password_hash = db.Column(db.Text, nullable=False)
        language = db.Column(db.Text, nullable=False)
        email = db.Column(db.Text)

    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{database}"
    db.init_app(app)
    Migrate(app, db, directory=f"{database}-migrations", **options)
    with app.app_context():
        init()
    return app


@tool("flask-migrate")
def flask_migrate(database):
    from flask_migrate import upgrade

    app = flask_app(database, {})
    pathlib.Path(f"{database}-migrations/versions/1.py").write_text(REVISION)
    with app.app_context():
        upgrade()


@tool("flask-migrate-autogenerate")
def flask_migrate_autogenerate(database):
    """Without the filter, Alembic drops each table that has no model."""
    from flask_migrate import migrate, upgrade

    def include_object(_object, _name, _kind, reflected, compare_to):
        return compare_to is not None or not reflected

    app = flask_app(database, {"render_as_batch": True, "include_object": include_object})
    with app.app_context():
        migrate()
        upgrade()


# Django


def django(*operations):
    """Runs operations as a migration does."""

    def migrate(database):
        import django
        from django.conf import settings

        if not settings.configured:
            engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
            settings.configure(DATABASES={"default": engine})
            django.setup()
        from django.db import connection, migrations, models
        from django.db.migrations.state import ModelState, ProjectState

        connection.close()
        connection.settings_dict["NAME"] = database
        state = ProjectState()
        fields = [
            ("username", models.TextField(primary_key=True)),
            ("password_hash", models.TextField()),
            ("language", models.TextField()),
        ]
        state.add_model(ModelState("app", "User", fields, options={"db_table": "users"}))
        migration = migrations.Migration("0001", "app")
        migration.operations = [operation(migrations, models) for operation in operations]
        with connection.schema_editor(atomic=True) as editor:
            migration.apply(state, editor)
        connection.close()

    return migrate


def rename_field(old, new):
    return lambda migrations, models: migrations.RenameField("User", old, new)


TOOLS["django-add-field"] = django(
    lambda migrations, models: migrations.AddField("User", "age", models.IntegerField(null=True))
)
TOOLS["django-alter-field"] = django(
    lambda migrations, models: migrations.AlterField(
        "User", "language", models.CharField(max_length=20, null=True)
    )
)
TOOLS["django-rename-field"] = django(rename_field("language", "tongue"))
TOOLS["django-rename-field-twice"] = django(
    rename_field("language", "tongue"), rename_field("tongue", "language")
)


# sqlite-utils


def sqlite_utils(command, *arguments):
    def run(database):
        from sqlite_utils import cli

        cli.cli.main([command, database, *arguments], standalone_mode=False)

    return run


def records(database):
    """A file with alice, who has another password, and dave."""
    file = pathlib.Path(f"{database}.csv")
    stored = "scrypt:1024:8:1$salt$" + "0" * 128
    file.write_text(f"username,password_hash,language\nalice,{stored},de\ndave,{stored},en\n")
    return str(file)


TOOLS["sqlite-utils-add-column"] = sqlite_utils("add-column", "users", "email", "text")
TOOLS["sqlite-utils-transform"] = sqlite_utils("transform", "users", "--default", "language", "en")


@tool("sqlite-utils-python")
def sqlite_utils_python(database):
    import sqlite_utils

    db = sqlite_utils.Database(database)
    db["users"].transform(column_order=["language"])
    db.close()


@tool("sqlite-utils-upsert")
def sqlite_utils_upsert(database):
    file = records(database)
    sqlite_utils("upsert", "users", file, "--csv", "--pk", "username")(database)


@tool("sqlite-utils-replace")
def sqlite_utils_replace(database):
    file = records(database)
    sqlite_utils("insert", "users", file, "--csv", "--pk", "username", "--replace")(database)


# SQLAlchemy


@tool("sqlalchemy-create-all")
def sqlalchemy_create_all(database):
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine, only=["users"])
    with engine.begin() as connection:
        rows = [dict(row._mapping) for row in connection.execute(metadata.tables["users"].select())]
        metadata.drop_all(connection)
        metadata.create_all(connection)
        connection.execute(metadata.tables["users"].insert(), rows)
    engine.dispose()


# SQL


def sql(statements):
    def run(database):
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.executescript(statements)

    return run


# The statements of pandas 3.1 for `to_sql("users", if_exists="replace", index=False)`. pandas itself
# would take as long as all other tools together.
TOOLS["pandas-replace"] = sql("""
    CREATE TEMP TABLE frame AS SELECT * FROM users;
    DROP TABLE "users";
    CREATE TABLE "users" ("username" TEXT, "password_hash" TEXT, "language" TEXT);
    INSERT INTO users ("username", "password_hash", "language") SELECT * FROM frame;
""")


def replace(database, copy):
    shutil.copymode(database, copy)
    pathlib.Path(copy).replace(database)


@tool("vacuum-into")
def vacuum_into(database):
    copy = f"{database}-copy"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (copy,))
    replace(database, copy)


@tool("dump")
def dump(database):
    copy = f"{database}-copy"
    with (
        contextlib.closing(sqlite3.connect(database)) as connection,
        contextlib.closing(sqlite3.connect(copy)) as other,
    ):
        other.executescript("\n".join(connection.iterdump()))
    replace(database, copy)


@tool("db-browser")
def db_browser(database):
    """DB Browser for SQLite creates indexes and triggers again."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        select = "SELECT sql FROM sqlite_master WHERE tbl_name = 'users' AND type <> 'table'"
        objects = [text for (text,) in connection.execute(select) if text]
        for statement in [
            'SAVEPOINT "db4s_renamecolumn"',
            'CREATE TABLE "sqlb_temp_table_1" ("username" TEXT, "password_hash" TEXT NOT NULL,'
            ' "language" TEXT, PRIMARY KEY("username"))',
            'INSERT INTO "main"."sqlb_temp_table_1" ("language", "password_hash", "username")'
            ' SELECT "language", "password_hash", "username" FROM "main"."users"',
            "PRAGMA defer_foreign_keys = 1",
            'DROP TABLE "main"."users"',
            'ALTER TABLE "main"."sqlb_temp_table_1" RENAME TO "users"',
            *objects,
            'RELEASE "db4s_renamecolumn"',
        ]:
            connection.execute(statement)


def main(names):
    for name in names:
        error = ""
        # Tools write about their progress.
        with contextlib.redirect_stdout(sys.stderr):
            try:
                TOOLS[name](f"{pathlib.Path.cwd() / name}.db")
            except Exception as exception:
                error = "\t" + " ".join(f"{type(exception).__name__}: {exception}".split())
        print(name + error)


main(sys.argv[1:])
