// Package safetensors reads and writes files of named tensors in the
// safetensors format, and trusts nothing that a file says.
//
// # The format
//
// Eight bytes hold the length of the header, little-endian; the header is a
// JSON object; the data follow to the end of the file. The header maps each
// tensor's name to its dtype, its shape and the half-open range of its bytes,
// counted from the first byte after the header; the key "__metadata__" may
// hold a map from string to string. Tensors are dense, row by row,
// little-endian. Their ranges cover the data without overlap and without a
// hole, in any order. Neither the data nor a tensor need begin at a multiple
// of the element's size, so nothing is ever read in place.
//
// Beyond what the format asks for, a header is at most 16 MiB long, a tensor
// has at most 32 dimensions, and keys that the format doesn't know are
// refused.
package safetensors
