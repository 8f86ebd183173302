// Package works finds which pictures of a collection show one work: copies in
// grey, mirrored, framed, compressed, resized, in another light, or cut out of each
// other.
//
// Each picture is held against its nearest neighbours in the index, as far as
// they are near at all, and what can be laid over the other (package sketch) is a
// copy. Pairs are kept in the catalog (catalog.Copies), which makes works of them;
// what was looked at is not looked at again, so that a search goes on where the
// one before ended, and costs what is new.
package works
