//go:build unix

package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usedByThis tells what this process has used: of the memory what is in use and
// its own, where Linux tells that.
func usedByThis() used {
	var u used
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		u.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	u.heap = int64(memory.HeapAlloc)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return u
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "RssAnon:" {
			kB, _ := strconv.ParseInt(fields[1], 10, 64)
			u.resident = kB << 10
		}
	}
	return u
}
