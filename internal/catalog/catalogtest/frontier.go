package catalogtest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/crawler/frontiertest"
	"github.com/palate-art/palate/internal/catalog"
)

func testFrontier(t *testing.T, open Open) {
	frontiertest.Run(t, func(t *testing.T) (crawler.Frontier, func() crawler.Frontier) {
		c, again := open(t)
		return c, func() crawler.Frontier { return again() }
	})
	cases(t, open, map[string]func(*testing.T, catalog.Catalog, func() catalog.Catalog){
		"images and their tasks end in one commit":  finishedByImage,
		"crawls and their losses are remembered":    crawls,
		"pictures that can be read now come again":  tryAgain,
		"subscriptions are remembered":              subscriptions,
		"no image comes with a task that has ended": endedTask,
		"runs share a crawl":                        sharedCrawl,
	})
}

func page(url string) crawler.Task { return crawler.Task{Kind: crawler.Page, URL: url} }
func pic(url string) crawler.Task  { return crawler.Task{Kind: crawler.Image, URL: url, Depth: 1} }

func begin(t *testing.T, c catalog.Catalog, crawl string, seeds ...crawler.Task) crawler.Progress {
	t.Helper()
	return must(c.BeginCrawl(t.Context(), crawl, seeds))(t)
}

// next claims exactly one task.
func next(t *testing.T, c catalog.Catalog, crawl string) crawler.Task {
	t.Helper()
	tasks, _, err := c.NextTasks(t.Context(), crawl, 1)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("NextTasks: got %d tasks and error %v, want 1", len(tasks), err)
	}
	return tasks[0]
}

// wantNone fails unless there is no task to claim; it returns the wait.
func wantNone(t *testing.T, c catalog.Catalog, crawl string) time.Duration {
	t.Helper()
	tasks, wait, err := c.NextTasks(t.Context(), crawl, 5)
	if err != nil || len(tasks) != 0 {
		t.Fatalf("NextTasks: got %v and error %v, want no tasks", urls(tasks), err)
	}
	return wait
}

func urls(tasks []crawler.Task) (list []string) {
	for _, task := range tasks {
		list = append(list, task.URL)
	}
	return list
}

func finish(t *testing.T, c catalog.Catalog, crawl string, task crawler.Task, o crawler.Outcome, found ...crawler.Task) int {
	t.Helper()
	return must(c.FinishTask(t.Context(), crawl, task, o, found))(t)
}

func endedTask(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	begin(t, c, "museum", pic("a"))
	task := next(t, c, "museum")
	finish(t, c, "museum", task, crawler.Outcome{State: crawler.Kept})
	_, err := c.AddImage(t.Context(), picture(1), sourceOf(1), &catalog.CrawlTask{Crawl: "museum", Task: task})
	wantKind(t, "AddImage", err, palate.ErrConflict)
	equal(t, "images", must(c.CountImages(t.Context(), noFilter))(t), 0)
}

func finishedByImage(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	old := add(t, c, picture(1), sourceOf(1))
	ok(t, "DeleteImage", c.DeleteImage(ctx, add(t, c, picture(2), sourceOf(2)), "x"))
	var seeds []crawler.Task
	for n := range 5 {
		seeds = append(seeds, pic(fmt.Sprint("u", n)))
	}
	begin(t, c, "museum", seeds...)
	put := func(n int, s palate.Source) catalog.Added {
		return must(c.AddImage(ctx, picture(n), s, &catalog.CrawlTask{Crawl: "museum", Task: next(t, c, "museum")}))(t)
	}
	equal(t, "new", put(10, sourceOf(10)), catalog.Added{Image: true, Source: true})
	equal(t, "known", put(1, sourceOf(11)), catalog.Added{Source: true})
	equal(t, "deleted", put(2, sourceOf(12)), catalog.Added{Tombstoned: true})
	equal(t, "duplicate", put(10, sourceOf(13)), catalog.Added{Source: true, Duplicate: true})
	equal(t, "duplicate from the same address", put(10, sourceOf(13)), catalog.Added{Duplicate: true})
	want := crawler.Progress{Round: 1, Kept: 1, Known: 1, Added: 1, Lost: map[string]int{"deleted": 1, "duplicate": 2}}
	if got := must(c.CrawlProgress(ctx, "museum"))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	equal(t, "wait", wantNone(t, c, "museum"), 0)
	equalList(t, "crawled", listAll(t, c, catalog.ImageQuery{Crawled: true, Limit: 2}), []palate.ImageID{picture(10).ID})
	equal(t, "sources of the old", len(must(c.Image(ctx, old))(t).Sources), 2)
	equal(t, "sources of the new", len(must(c.Image(ctx, picture(10).ID))(t).Sources), 2)
	// In the next round, and in another crawl, the image is known. Of a crawl
	// that has as many as it may, nothing else is added.
	for _, crawl := range []string{"museum", "other"} {
		c = again()
		begin(t, c, crawl, pic("u"))
		added := must(c.AddImage(ctx, picture(10), sourceOf(10), &catalog.CrawlTask{Crawl: crawl, Task: next(t, c, crawl)}))(t)
		equal(t, "added", added, catalog.Added{})
		equal(t, "known", must(c.CrawlProgress(ctx, crawl))(t).Known, 1)
	}
	begin(t, c, "museum", pic("v"), pic("w"))
	for n, want := range map[int]catalog.Added{10: {}, 11: {TooMany: true}} {
		added := must(c.AddImage(ctx, picture(n), sourceOf(10), &catalog.CrawlTask{Crawl: "museum", Task: next(t, c, "museum"), Most: 1}))(t)
		equal(t, fmt.Sprintf("added of picture %d", n), added, want)
	}
	want = crawler.Progress{Round: 3, Known: 1, Added: 1, Lost: map[string]int{"picture_limit": 1}}
	if got := must(c.CrawlProgress(ctx, "museum"))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
