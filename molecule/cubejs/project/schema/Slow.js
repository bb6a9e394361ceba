// Keeps a query in flight while an instance is stopped.
cube(`Slow`, {
  sql: `SELECT SLEEP(3) AS nap`,
  measures: { naps: { sql: `nap`, type: `sum` } },
});
