//go:build !linux

package program

func becomeWithoutRights() error { return nil }
