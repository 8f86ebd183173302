package crawler_test

import (
	"testing"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/crawler/frontiertest"
)

func TestMemoryIsAFrontier(t *testing.T) {
	frontiertest.Run(t, func(*testing.T) (crawler.Frontier, func() crawler.Frontier) {
		m := crawler.NewMemory()
		return m, func() crawler.Frontier { return m }
	})
}

// A picture is kept once, however many addresses and rounds lead to it.
func TestMemoryKeepsEachFileOnce(t *testing.T) {
	ctx, m := t.Context(), crawler.NewMemory()
	keep := func(round int, want ...crawler.Keeping) {
		t.Helper()
		seeds := []crawler.Task{{Kind: crawler.Image, URL: "a"}, {Kind: crawler.Image, URL: "b"}}
		if _, err := m.BeginCrawl(ctx, "museum", seeds); err != nil {
			t.Fatal(err)
		}
		tasks, _, err := m.NextTasks(ctx, "museum", 2)
		if err != nil || len(tasks) != 2 {
			t.Fatalf("round %d: got %d tasks and error %v", round, len(tasks), err)
		}
		for i, task := range tasks {
			find := crawler.Find{Content: []byte("one picture"), Format: "jpeg"}
			find.Source.Address = task.URL
			got, id, err := m.Keep(ctx, "museum", task, find)
			if err != nil || got != want[i] || id.IsZero() {
				t.Errorf("round %d, %s: got %q, %s and error %v, want %q", round, task.URL, got, id, err, want[i])
			}
			if _, _, err := m.Keep(ctx, "museum", task, find); err == nil {
				t.Error("a task was finished twice")
			}
		}
	}
	keep(1, crawler.KeptNew, crawler.KeptDuplicate)
	keep(2, crawler.KeptKnown, crawler.KeptKnown)
	if got := m.Finds(); len(got) != 1 || got[0].Source.Address != "a" {
		t.Errorf("got %d finds, want the first alone", len(got))
	}
	standings, err := m.Standing(ctx, []string{"a", "b", "c"})
	if err != nil || standings[0] != crawler.StandingKept || standings[1] != crawler.StandingKept || standings[2] != crawler.StandingNew {
		t.Errorf("standings: got %v and error %v", standings, err)
	}
}
