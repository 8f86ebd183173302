package crawler_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate/internal/museum"
)

// TestTheTableOfHabitsIsTrue holds the table in bench/results against what
// there is: each row names guises and tests, and each of them exists.
func TestTheTableOfHabitsIsTrue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "bench", "results", "crawl.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, g := range museum.Guises() {
		there[g.Name] = true
	}
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		code, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(code, -1) {
			there[string(m[1])] = true
		}
	}
	_, tables, _ := strings.Cut(string(text), "\n## Habits")
	rows := 0
	for line := range strings.Lines(tables) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.Contains(line, "---") || strings.TrimSpace(cells[1]) == "habit" {
			continue
		}
		rows++
		names := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[2], -1)
		if len(names) == 0 {
			t.Errorf("%s: names no guise and no test", strings.TrimSpace(cells[1]))
		}
		for _, name := range names {
			if !there[name[1]] {
				t.Errorf("%s: there is no guise and no test %s", strings.TrimSpace(cells[1]), name[1])
			}
		}
	}
	if rows < 40 {
		t.Errorf("%d rows, want those of the log and more", rows)
	}
}
