// Package tuning fine-tunes a model on a person's ratings and makes a model of
// its own of what comes of it.
//
// A training takes the likes and dislikes of one profile, puts near-duplicates
// together, holds a fifth of the works back, learns a probe on the features of
// the rest, and lets package finetune begin there: at the first step the loss
// is the probe's. What is not better than the probe on the works that were held
// back makes no model. A model that was made is added beside its parent, with
// its head as the profile's first probe on it; what serves is not touched.
//
// # Folder
//
// A training has a folder of its own: training.json, an object with "version" 1
// (see kept), which names what it was begun with and is written once, before
// the first step; the checkpoints of package finetune; and, at the end,
// curves.svg. A training that was stopped, however, goes on from there with the
// pictures, verdicts and settings of training.json, whatever was rated since.
package tuning
