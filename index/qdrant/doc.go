// Package qdrant keeps an index on a Qdrant server or cluster.
//
// # What lies on the server
//
// A collection for each model, filled once and then followed, behind an alias:
//
//	palate-0123456789ab-v1-20260102t150405-9f3c   a collection: name, model, format, when it was begun
//	palate-0123456789ab-v1                        alias of the one that serves that model; searches go here
//	palate                                        alias of the model that was last filled as far as the one before
//
// A rebuild, or another model, fills a new collection beside the one that
// serves, and switches the aliases in one call. What a killed rebuild left is
// deleted by the next one.
//
// A point has the image's ID and its embedding (L2-normalised, float32, the
// distance is Dot, so that what is read is what was written). Format 1 of its
// payload: artists, licences, sites and categories are lists of text, years a
// list of integers, absent where empty; liked is an object with a boolean for
// every profile that judged the image. A profile's verdict is written into
// that object without reading it, and names of profiles hold nothing that a
// path would take for syntax.
//
// # How it is called
//
// Every call has a deadline, which includes its retries, and every change
// waits until the server has done it: without waiting, a vector of the wrong
// dimension is acknowledged and lost. NaN and zero vectors, which the server
// would take, are refused before they are sent. A lost connection is looked
// for again every other second at least.
//
// Searches go through HNSW and quantisation as configured, so they may miss
// neighbours; Config.Exact does without. Equal scores come in any order across
// pages.
package qdrant
