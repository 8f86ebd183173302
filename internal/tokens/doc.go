// Package tokens remembers who may come in: tokens of programs, sessions of
// browsers, links by which a person signs in once, and what stands in the
// address of a feed.
//
// All of them are secrets of 256 random bits. None is kept: what is kept is its
// SHA-256, so that whoever reads the file can't come in by it. (A slow hash is
// for passwords, which can be guessed.)
//
// # The file, version 2
//
// tokens.json in the collection's folder, readable by its owner alone; absent
// until there is a first one. A JSON object: "version": 2, and "tokens", a list
// of Token with the hash of each. Version 1 has none of the kind "feed", and is
// what is written while there is none. Who finds a newer version is told so and
// touches nothing. It is written whole beside its place and moved there, while
// tokens.lock is held, so that processes share it; each reads it again when it
// has changed. It is no part of a backup: a collection that is brought back
// elsewhere lets nobody in by what was given out here.
package tokens
