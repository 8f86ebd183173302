// Package models knows which models palate can embed pictures with, where
// their weights are, and how pictures are prepared for them.
//
// A model is known by name (Known: weights on the hub, pinned by commit and
// where possible by hash), was added from a file (Store.Add: a file of tensors,
// whose architecture is read from them and from what stands beside it, or an
// .onnx file with a .json description), or came from the hub by the name of its
// repository (FetchFromHub, then Store.Add: a Record with an Origin).
//
// # On disk
//
// The folder of a Store holds
//
//	local/NAME.json        a Record: an added model. The file itself stays where
//	                       it is, or lies in files/ if it was copied.
//	files/NAME.EXTENSION   a copied model
//	hub/NAME.json          an HubRecord: whose licence was shown, and which
//	                       bytes came, of a model from the hub
//
// Both records are JSON objects with "format": 1. A record of another format
// is refused; unknown fields are too, so that an older palate does not pass
// over what a newer one meant.
//
// # In a catalog
//
// Beside the embeddings of a model the catalog keeps Kept, the model's
// description with "format": 1 and "settings" among its fields. Without "format"
// it is version 0, of palates before this one, where "settings" may be missing as
// well. A newer format is refused.
package models
