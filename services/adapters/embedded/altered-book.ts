/** For tests: books altered with an SQLite tool, and books as they were made before their tables were STRICT. */
import Database from 'libsql'

/** Runs SQL on the file as a tool would that ignores CHECKs; throws what SQLite refuses all the same. */
export function alterBook(path: string, sql: string): void {
  const db = new Database(path)
  try {
    db.exec(`PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; ${sql}`)
  } finally {
    db.close()
  }
}

/** Gives a book the tables without STRICT, CHECKs and covering index. */
export function makeLegacy(path: string): void {
  alterBook(
    path,
    `PRAGMA legacy_alter_table = ON;
     CREATE TABLE old_streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
     INSERT INTO old_streams SELECT * FROM streams;
     CREATE TABLE old_appends (
       id INTEGER PRIMARY KEY,
       stream_id INTEGER NOT NULL REFERENCES streams (id),
       first INTEGER NOT NULL,
       count INTEGER NOT NULL CHECK (count > 0),
       ids TEXT NOT NULL,
       types TEXT NOT NULL,
       checksums TEXT NOT NULL,
       bodies TEXT NOT NULL,
       UNIQUE (stream_id, first)
     );
     INSERT INTO old_appends SELECT * FROM appends;
     DROP TABLE appends;
     DROP TABLE streams;
     ALTER TABLE old_streams RENAME TO streams;
     ALTER TABLE old_appends RENAME TO appends;`,
  )
}
