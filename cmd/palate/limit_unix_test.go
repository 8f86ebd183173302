//go:build unix

package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// fileSizeLimit in the environment of a started program bounds the bytes of
// every file it writes: a write beyond fails, as on a full disk.
const fileSizeLimit = "TEST_FILE_SIZE_LIMIT"

func limitChild() error {
	text := os.Getenv(fileSizeLimit)
	if text == "" {
		return nil
	}
	bytes, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes})
}
