// Package probe learns a taste from likes and dislikes: class-weighted,
// L2-regularised logistic regression on L2-normalised embeddings, or, where a
// taste is no one direction, nearness to what was liked, or both; Auto takes
// what judges best.
//
// A linear probe is a query vector. Its score is w·x + b, so the images that
// a person would like best are the nearest neighbours of w under the inner
// product; bias and calibration are applied to the hits and keep their order.
//
// Train chooses the strength of the regularisation by stratified
// cross-validation with early stopping, fits all ratings and judges the result
// by nested cross-validation (Varma and Simon, Bias in error estimation when
// using cross-validation for model selection, BMC Bioinformatics 7, 2006):
// nothing in its report was measured on data that had a part in what is
// measured. Other Kinds can be judged beside it on the same splits. Examples
// that show one work are found, never straddle a split and count once. Fit is
// the fit alone, Path the fits of many strengths. Package judge judges; Set
// gives it the examples of Train, for whoever learns in another way.
//
// # Features
//
// Rows of features are float32 and are read where they are; sums are float64.
// There is no copy of them in either type, standardised or not.
//
// # Format of a stored probe
//
// MarshalBinary writes, in little-endian order: the eight bytes "palprobe"; the
// format's version as uint16; the length of the header as uint32; the
// header, which is the Probe without its weights as JSON; the number of
// weights as uint32; the weights as float32; the neighbours; CRC-32C of all
// bytes before as uint32. A reader refuses a version that it does not know.
// Fields may be added to the header within a version; a change of meaning makes
// a new version. Version 1 has no neighbours, and is what a probe without any is
// written in. In version 2 they are the likes and then the dislikes: their
// number as uint32, and for each the sixteen bytes of its image's ID, the number
// of its work as uint32, and one byte: 1 before the values of its embedding as
// float32, as many as there are weights, or 0 where the embedding is to be had
// by the ID (MarshalReferences).
package probe
