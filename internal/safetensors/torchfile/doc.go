// Package torchfile reads the tensors of PyTorch's checkpoints (.pth, .pt,
// .bin) as data: nothing that a file says is ever called.
//
// # The format
//
// A checkpoint is a zip archive whose entries are stored, not compressed:
// NAME/data.pkl is a pickle of the objects, NAME/data/KEY the bytes of each
// storage. Of the pickle's instructions those are done that build lists,
// dictionaries, tuples, numbers and texts. What it asks to call is looked at by
// name: OrderedDict, the rebuilding of tensors and parameters, torch.Size and
// the types of storages are known and done by code of ours; everything else
// (argparse.Namespace, numpy's scalars) becomes an opaque value.
//
// The model is the dictionary of tensors, at the top or under the names that
// training scripts give it. Files from before PyTorch 1.6, which are no zip
// archives, and files of big-endian machines are refused by name.
package torchfile
