// Package hub downloads files, such as a model's weights, from a model hub
// that speaks Hugging Face's protocol, into the cache that other programs on
// the machine share.
//
// # Protocol
//
// A file is at ENDPOINT/ORG/NAME/resolve/REVISION/PATH. HEAD answers with
// X-Repo-Commit, X-Linked-Etag (else ETag: 64 hexadecimal digits are the
// file's SHA-256), X-Linked-Size and, for a large file, a redirect to the
// host that stores it. Redirects within the hub are followed; the one to
// another host is not, because its answer lacks those headers. GET then goes
// to that host without the hub's token.
//
// A file is accepted by its SHA-256 alone: the one that the caller pins, else
// the one that the hub announces. Of a small file, which the repository itself
// has and not the host of large ones, the hub announces git's SHA-1 (ETag: 40
// digits): it is held against that.
//
// What is in a repository, its licence and whether it is gated is at
// ENDPOINT/api/models/ORG/NAME/revision/REVISION.
//
// # Cache
//
// The layout is the hub's own, at HF_HUB_CACHE, else $HF_HOME/hub, else
// ~/.cache/huggingface/hub:
//
//	models--ORG--NAME/blobs/SHA256                 the bytes (of small files: SHA-1)
//	models--ORG--NAME/blobs/SHA256.incomplete      the beginning of them
//	models--ORG--NAME/snapshots/COMMIT/PATH        a link to the blob
//	models--ORG--NAME/refs/REVISION                the commit of a branch or tag
//	.locks/models--ORG--NAME/SHA256.lock           held (flock) by who downloads
//
// Where symbolic links can't be made, the snapshot is a hard link, else a
// copy. What other programs have put there is used, and they find what palate
// has put there.
package hub
