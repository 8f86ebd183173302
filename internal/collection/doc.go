// Package collection opens a collection and does with it what palate can do:
// crawl and import into it, embed what came, keep indexes in step, learn, serve,
// upgrade. It wires the adapters together, for the command line, the API and any
// number of embedding processes, which only ask and print.
//
// A Collection is the catalog and the image store. A Model is the collection
// seen by one model: the loaded model, the index of its embeddings, what brings
// that up to date, and the tastes that were learned on them. Several may be open
// at once. A Loader finds, fetches and loads models, with a collection or
// without one.
//
// Nothing here prints or reads flags: whoever opens a collection gives a Teller.
package collection
