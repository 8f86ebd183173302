// Package backup copies a collection to a safe place and brings it back.
//
// A backup is made while others read and write the collection. First the
// catalog is copied as it is at one moment; then every picture that this copy
// names is copied, unless the backup has it already. The manifest lists those
// that were deleted for good in between, and restoring deletes them too. Nothing of an
// older backup in the same place is changed, and what a killed process left is
// used by the next or removed: only a snapshot that was verified gets its name.
//
// What is in it: the catalog (pictures with their sources, ratings, embeddings,
// probes, the crawls' frontiers, the trash) and the picture files, those of
// images in the trash too. What is not: the index
// and thumbnails, which are derived; weights of models; files that the
// collection only references (they are listed, and copied where that is asked
// for).
//
// # The folder, version 1
//
//	palate-backup            text file: "palate backup 1\n", the version of this layout
//	lock                     locked by the process that writes
//	files/ab/abcdef….        one file per picture, named by its ImageID, below the id's first two digits
//	snapshots/TIME/          one backup, named by when it was made: 20261128T103000.123Z
//	  catalog.db             the catalog, one SQLite file
//	  manifest.json          see Manifest
//	tmp/                     unfinished files
//
// # The archive, version 1
//
// A tar file: palate-backup with the text of the folder's, catalog.db,
// files/ab/abcdef…. in no order that means anything, and at last manifest.json,
// without which an archive is not whole. While it is written it lies in a
// folder of its name and ".partial".
//
// # The manifest, version 1
//
// A JSON object with the fields of Manifest. Who finds a newer version is told
// so and touches nothing.
package backup
