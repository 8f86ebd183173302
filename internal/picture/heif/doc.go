// Package heif reads HEIC and AVIF: the container by its own code, the pixels
// by libheif with libde265 and by libavif with libaom, compiled to
// WebAssembly.
//
// The decoders run in a sandbox: they see the file and the memory that they
// are given, and nothing of the machine. Their memory is bounded. What bounds
// their time is the caller's process: a call can be ended only at four times
// the cost, so that palate runs them in a process of its own which it can kill
// (package picture).
//
// wasm/ holds the decoders as github.com/gen2brain/heic v0.4.5 (libheif 1.18.2,
// libde265 1.0.15: LGPL-3.0) and github.com/gen2brain/avif v0.4.4 (libavif
// 1.1.1, libaom 3.10.0: BSD-2-Clause) publish them with the recipes that build
// them; licences/ holds their licences. Another build of the same exports may
// be put in their place.
package heif
