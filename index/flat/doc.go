// Package flat is an exact index in memory: every search looks at every
// stored embedding that passes the filter, rounded to 8 bits, and compares
// exactly those that may be among the best.
//
// # Exact by proof
//
// Each row keeps the norm of what rounding took from it. With it the exact
// score lies within a known margin of the estimate (internal/simd has the
// formula). A scan keeps the k largest lower bounds seen, and every row whose
// upper bound reaches the smallest of them. Of these, the most promising are
// scored exactly, and then all whose upper bound reaches the k-th of those
// scores: no other row can be among the best k. How many rows that takes
// depends on the embeddings, the answer does not.
//
// # Changes beside searches
//
// Rows lie in segments and are written once. A search works on a view: which
// segments, how many rows of them, which of these are dead. A change appends
// rows, buries others in a copy of the bitmap that says so, and publishes the
// next view; searches under way keep theirs. The lock is held while a view is
// taken and a filter is resolved, never while vectors are read. When a quarter
// of the rows is dead, what lives is written anew and the rest is let go;
// changes wait for that, searches do not.
//
// Attributes lie beside the rows as codes of a dictionary, with a compressed
// bitmap of rows for each term, so that filters are resolved by set operations
// in memory. Few rows are gathered by their numbers; many become a bitmap
// that goes with the scan.
//
// Searches that find a scan of all rows under way wait for it and then share
// the next one: each block of rows is read from memory once for all of them.
//
// # The side file
//
// With Config.Path the exact embeddings lie in a memory-mapped file, so that
// memory holds a byte for each value and the page cache the rest. The file is
// derived from the catalog, holds the number of the last change that is in it
// (Position), and may be deleted at any time: a file that is missing, cut,
// damaged, of another version, model or dimension is ignored and written anew.
// It is replaced by renaming, so that processes may share it. Embeddings that
// came since it was written are in memory until it is written again: when
// they are half as many as it holds, and on Close if much has changed. A point
// that was deleted is gone from every answer at once, and from the file when
// that is written next.
//
// Format, version 1, little-endian:
//
//	header, 4096 bytes: the text "palate flat index\n" padded with zeros to 24; version uint32; dim uint32;
//	        rows uint64; position uint64; length of the tail uint64; its CRC-32C uint32; length of the model's id
//	        uint32; the id; zeros; at 4092 the CRC-32C of the bytes before
//	rows:   rows × dim float32
//	tail:   the CRC-32C of each 65,536 rows, uint32; ids, 16 bytes each; the number of terms, uvarint, and each:
//	        kind byte, year varint or length uvarint and text; the number of all codes, uvarint; for each
//	        row the number of its codes and the codes, places in the list of terms, uvarint
//
// The header is written last: a file that was not finished has none.
package flat
