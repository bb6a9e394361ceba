# Copyright: the cubeops.cubejs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pre-aggregation storage as its own server sees it: tables, their rows, the statements that read them."""

# ruff: noqa: S608  what is put into statements is the schema's name and what the server itself said

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


class StorageError(RuntimeError):
    """The storage could not be asked; the message carries what its client said."""


def tables_in(statement: str, schema: str) -> list[str]:
    """Return the tables of a schema that a statement names, each once, in its order."""
    return list(dict.fromkeys(re.findall(rf"\b{re.escape(schema)}\.`?(\w+)", statement)))


@dataclass(frozen=True)
class Storage:
    """A schema on a MySQL server, asked as root over its socket; shell: the command that runs one on its host."""

    shell: Sequence[str]
    schema: str

    def ask(self, sql: str) -> list[list[str]]:
        """Run statements and return the rows they printed; statements go through standard input."""
        done = subprocess.run(
            [*self.shell, "mariadb --batch --raw --skip-column-names"],
            input=sql,
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise StorageError(f"the storage did not answer: {done.stderr.strip() or done.stdout.strip()}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def tables(self) -> list[str]:
        """Return the names of the schema's tables."""
        rows = self.ask(
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{self.schema}' ORDER BY 1;"
        )
        return [row[0] for row in rows]

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has, counted, not estimated."""
        names = self.tables()
        counts = (f"SELECT '{name}', COUNT(*) FROM `{self.schema}`.`{name}`" for name in names)
        try:
            counted = self.ask(f"{' UNION ALL '.join(counts)};") if names else []
        except StorageError as exc:
            # Cube drops a table as soon as a newer one replaces it: then the list is old already.
            if "doesn't exist" in str(exc) and names != self.tables():
                return self.rows()
            raise
        return {name: int(count) for name, count in counted}

    @contextmanager
    def listening(self) -> Iterator[Statements]:
        """Let the server keep a log of the statements that it runs meanwhile; leave it as it was."""
        [[log, output, noted]] = self.ask("SELECT @@general_log, @@log_output, NOW(6);")
        self.ask("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1;")
        statements = Statements()
        try:
            yield statements
            statements.seen = [
                row[0]
                for row in self.ask(
                    "SELECT REPLACE(CONVERT(argument USING utf8mb4), '\\n', ' ') FROM mysql.general_log"
                    f" WHERE event_time >= '{noted}' AND command_type IN ('Query', 'Execute');"
                )
            ]
        finally:
            restore = f"SET GLOBAL general_log = {log}, GLOBAL log_output = '{output}';"
            self.ask(f"{restore} TRUNCATE mysql.general_log;")


@dataclass
class Statements:
    """The statements that a server ran while it was listened to; filled when that ends."""

    seen: list[str] = field(default_factory=list)

    def reading(self, schema: str) -> list[str]:
        """Return the tables of a schema that were read from, each once."""
        reads = (statement for statement in self.seen if statement.lstrip().upper().startswith("SELECT"))
        return list(dict.fromkeys(name for statement in reads for name in tables_in(statement, schema)))
