package tuning

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// usedMemory gives what this process has in memory now and had at most, in
// bytes; 0 is not known.
func usedMemory() (now, peak int64) {
	return fieldsOf("/proc/self/status", "VmRSS:", "VmHWM:")
}

// fieldsOf reads two fields in kilobytes.
func fieldsOf(path, first, second string) (a, b int64) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		n, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			continue
		}
		switch words[0] {
		case first:
			a = n << 10
		case second:
			b = n << 10
		}
	}
	return a, b
}

// availableMemory is what this process may still take: what the machine has
// left and what its control group allows, whichever is less; 0 is not known.
func availableMemory() int64 {
	left, _ := fieldsOf("/proc/meminfo", "MemAvailable:", "")
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return left
	}
	path := "/"
	for line := range strings.Lines(string(own)) {
		if group, unified := strings.CutPrefix(strings.TrimSpace(line), "0::"); unified {
			path = group
		}
	}
	for { // a limit holds for all groups below
		folder := filepath.Join("/sys/fs/cgroup", path)
		if limit, used := number(folder, "memory.max"), number(folder, "memory.current"); limit > 0 {
			left = min(left, max(1, limit-used+reclaimable(folder)))
		}
		if path == "/" || path == "." {
			return left
		}
		path = filepath.Dir(path)
	}
}

// number reads a file of one number; "max" and what is not there are 0.
func number(folder, name string) int64 {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// reclaimable is what of a group's memory are pages of files that go when room
// is needed.
func reclaimable(folder string) int64 {
	text, err := os.ReadFile(filepath.Join(folder, "memory.stat"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "inactive_file "); found {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return 0
}
