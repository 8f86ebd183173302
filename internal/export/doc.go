// Package export writes what a collection knows of its pictures in forms that
// other programs read: NDJSON, CSV, Parquet, NumPy's .npz and the folder that
// clip-retrieval writes. internal/features, and with it palate evaluate, reads
// the last three.
//
// What is written is what stands when it is read: pictures that come or go
// meanwhile may be in it or not.
package export
