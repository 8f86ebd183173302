//go:build !unix

package disk

// syncFolder has nothing to do where folders can't be synced: names become
// durable with the files.
func syncFolder(string) error { return nil }
