// Package sqlite is the catalog on one machine: one SQLite file, used by any
// number of palate processes at once.
//
// # Format on disk
//
// The file's application_id is 0x504c4154 ("PLAT") and its user_version is
// the version of the schema, which is the number of the last migration in the
// folder migrations. Open brings an older file up to date, one migration
// after the other in a single transaction; it refuses a newer file and a file
// of another application. The journal is a write-ahead log, so the database
// is three files while it is in use (name, name-wal, name-shm): copy it with
// SnapshotTo, VACUUM INTO or the sqlite3 program's .backup, never with cp.
// Before an older file is migrated a copy of it goes into the folder
// before-migration beside it, named for its version and the time, of which
// the newest three stay; without the copy nothing is migrated. Image ids are
// blobs of 16 bytes, vectors are blobs of float32 values in little-endian
// order, times are nanoseconds since 1970 in UTC with 0 for "not known",
// lists and reports are JSON. What a crawl's task carries is in its column
// alternatives: a list of addresses, or an object, in which "shown" is what a
// page showed (with a version of its own, see crawler.FoundAgain; one of
// another version counts as if the page had shown nothing). Beside the file lies the folder leases, with
// one lock file per lease; it may be removed while no process runs.
//
// # Durability and concurrency
//
// Every write is one BEGIN IMMEDIATE transaction with synchronous=FULL: when
// a method returns nil, a power cut does not take the write back. One
// connection of the process writes and some read; readers see the last
// commit and never wait for writers. Numbers of changes are drawn inside the
// write transaction, of which there is one at a time over all processes, so
// they grow by commit. Network file systems do not keep SQLite's promises;
// keep the file on a local disk.
//
// # Text
//
// Text may have any length, script and character, NUL included. Bytes that
// are not UTF-8 are replaced by U+FFFD in what describes (titles, reasons,
// addresses of sources, search words) and refused as palate.ErrInvalid in
// what names (task URLs, crawls, followers, models, kinds of run).
package sqlite
