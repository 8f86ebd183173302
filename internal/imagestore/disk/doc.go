// Package disk keeps image files in a folder.
//
// # The folder, version 1
//
//	palate-images          text file: "palate images 1\n", the version of this layout
//	files/ab/abcdef….      one file per image, named by its ImageID, below the id's first two digits
//	refs/ab/abcdef….json   {"path", "bytes", "sha256", "modified"} of a file that stays where it is;
//	                       "path_raw" has the bytes of a path that is not UTF-8, in base64
//	thumbs/ab/abcdef…-320-v2.jpg  derived, by imagestore.ThumbnailVersion (none is 1); may be
//	                       deleted at any time
//	tmp/                   unfinished files
//	swept/2026-11-28/      files without a row that a sweep of that day moved aside, by their
//	                       names; a folder goes 30 days later. NAME.damaged is a file in whose
//	                       place a whole one was brought back
//	palate-mark.json       {"version": 1, "store", "catalog"}: the identities of this store and of
//	                       the catalog whose rows describe its files
//	palate-seen            text file: the highest change number of that catalog that was seen
//
// A file is written below tmp, synced, renamed to its name, and its folder is
// synced. Who finds a folder of a newer version is told so and touches
// nothing.
package disk
