// Package disk keeps image files in a folder.
//
// # The folder, version 1
//
//	palate-images          text file: "palate images 1\n", the version of this layout
//	files/ab/abcdef….      one file per image, named by its ImageID, below the id's first two digits
//	refs/ab/abcdef….json   {"path", "bytes", "sha256", "modified"} of a file that stays where it is;
//	                       "path_raw" has the bytes of a path that is not UTF-8, in base64
//	thumbs/ab/abcdef…-320.jpg  derived; may be deleted at any time
//	tmp/                   unfinished files
//
// A file is written below tmp, synced, renamed to its name, and its folder is
// synced. Who finds a folder of a newer version is told so and touches
// nothing.
package disk
