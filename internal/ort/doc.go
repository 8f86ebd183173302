// Package ort finds or fetches ONNX Runtime, loads it once per process and
// runs models in it.
//
// # Where the library comes from
//
// Find asks these sources in this order and takes the first that answers:
//
//   - an explicit path (Config.LibraryPath);
//   - an installed library in Config.LibraryDirs;
//   - the cache, Config.CacheDir, an archive put there by hand included;
//   - the Go module cache: the module onnxruntime_go carries libraries for
//     some platforms;
//   - the release archive on GitHub;
//   - the npm package onnxruntime-node, through the npm client as the user
//     configured it.
//
// An explicit or installed library is accepted by its version: it must offer
// C API 24, which begins with ONNX Runtime 1.24. Everything else is accepted
// by a pinned SHA-256 only (see Release).
//
// # The cache on disk, version 1
//
// One folder per runtime version holds the library under Release.FileName and
// beside it FileName.json, {"format":1,"sha256":…,"size":…,"origin":…}. Both
// are written to a temporary name, synced and renamed, the library first; a
// library without a record counts only if its hash is the pinned one. The
// file .lock is held (flock) while anything is fetched, so processes that ask
// at once wait for the first and use what it brought. Folders named fetch-*
// are unfinished fetches; whoever holds the lock next removes them.
package ort
