// Package qdranttest stands in for a Qdrant server in tests.
//
// It is a real gRPC server on loopback with a map of points behind it, that
// answers queries by brute force in float64. It knows as much of the protocol
// as index/qdrant speaks, agrees there with answers recorded from a real
// server (testdata), and refuses everything else as Unimplemented, so that no
// test passes on a setting that was never looked at. It shares no code with
// the indexes that are tested against it.
//
// It enforces a strict mode (SetStrictMode), and takes and restores snapshots
// as a real server does (Snapshot, Restore).
//
// It can be stopped and started again at the same address without losing its
// points, and told to fail: see Fault.
package qdranttest
