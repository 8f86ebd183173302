// Package arena compares models and ways to learn a taste on the same ratings:
// every entrant predicts what the same folds hold out, and what it cost stands
// beside how well it did.
//
// Probes, centroids and nearest neighbours choose whatever they choose inside
// each fold. A fine-tuning has no inner search: its recipe is fixed beforehand,
// and one eighth of the works of each fold's training part, near-duplicates
// together, chooses its epoch. What is learned of a fold never sees what the
// fold holds out.
//
// # Folder
//
// What was measured is kept: one JSON file for each cell (a model, a method and,
// of a fine-tuning, a fold), with "version" 1, named by a hash of everything that
// it depends on. A contest that was stopped goes on with what is missing.
package arena
