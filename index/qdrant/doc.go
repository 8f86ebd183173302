// Package qdrant keeps an index on a Qdrant server or cluster.
//
// # What lies on the server
//
// A collection for each model, filled once and then followed, behind an alias:
//
//	palate-0123456789ab-v2-20260102t150405-9f3c   a collection: name, model, format, when it was begun
//	palate-0123456789ab-v2                        alias of the one that serves that model
//	palate                                        alias of the model that was last filled as far as the one before
//
// A rebuild, or another model, fills a new collection beside the one that
// serves, and switches the aliases in one call. What a killed rebuild left is
// deleted by the next one.
//
// A point has the image's ID and its embedding (L2-normalised, float32, the
// distance is Dot, so that what is read is what was written). Format 2 of its
// payload: artists, licences, sites, categories, liked_by and disliked_by are
// lists of text, years a list of integers, absent or empty where there is
// nothing; liked_by and disliked_by name profiles. Each of them has a payload
// index, and no other is made, however many profiles there are. One point has the
// number 0 and no vector: its palate_change is the number of the catalog's last
// change that is in the others. The collection's metadata names the catalog that
// filled it (palate_catalog).
//
// Format 1 had, in place of the two lists, an object "liked" with a boolean and a
// payload index for every profile, and did not tell its position. A collection of
// that format is searched until one of format 2 was filled beside it.
//
// Aliases are for others. Palate looks where its own leads, asks the catalog
// whether those points are its own, and calls the collection by its own name from
// then on, so that it never answers from what somebody else put behind the alias.
//
// # How it is called
//
// Every call has a deadline, which includes its retries, and every change
// waits until the server has done it: without waiting, a vector of the wrong
// dimension is acknowledged and lost. NaN and zero vectors, which the server
// would take, are refused before they are sent. A lost connection is looked
// for again every other second at least.
//
// What a server in strict mode allows of a collection is read where the
// collection is looked at, and kept to. While a new collection is filled the
// server builds no graphs; Settle waits for them.
//
// Searches go through HNSW and quantisation as configured, so they may miss
// neighbours; Config.Exact does without, and so do searches among what one
// person judged or likes, where the server allows it. Equal scores come in any
// order across pages.
package qdrant
