// Package frontiertest is the conformance suite of crawler.Frontier.
package frontiertest

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// Open makes an empty frontier. again opens the same tasks as another process
// would; a frontier that other processes can't see gives itself. One that can
// be closed is closed in the middle of a crawl.
type Open func(t *testing.T) (f crawler.Frontier, again func() crawler.Frontier)

// Run holds a frontier to everything that crawler.Frontier says.
func Run(t *testing.T, open Open) {
	for name, claim := range map[string]func(*testing.T, crawler.Frontier, func() crawler.Frontier){
		"tasks come back as they were found":         tasksComeBack,
		"oldest first and pictures before pages":     taskOrder,
		"each address once a round":                  duplicates,
		"a refused address is told from itself":      refused,
		"a killed crawl resumes":                     resume,
		"a finished crawl begins another round":      rounds,
		"postponed tasks come when they are due":     postponed,
		"a task ends once":                           endsOnce,
		"progress counts all outcomes":               progress,
		"a round is retraced in its order":           retraced,
		"crawls do not mix":                          separateCrawls,
		"leads to a page that waits join it":         leadsToWaiting,
		"leads to a page that ended are decided on":  leadsToEnded,
		"a picture stands for one lead":              standsForOne,
		"late leads leave a picture its source":      lateLeadsLeaveTheSource,
		"what can't be is refused and nothing added": frontierRefused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, again := open(t)
			claim(t, f, again)
		})
	}
}

var day = time.Date(2024, 2, 29, 12, 30, 15, 123456789, time.UTC)

func page(url string) crawler.Task { return crawler.Task{Kind: crawler.Page, URL: url} }
func pic(url string) crawler.Task  { return crawler.Task{Kind: crawler.Image, URL: url, Depth: 1} }

func begin(t *testing.T, c crawler.Frontier, crawl string, seeds ...crawler.Task) crawler.Progress {
	t.Helper()
	return must(c.BeginCrawl(t.Context(), crawl, seeds))(t)
}

// next claims exactly one task.
func next(t *testing.T, c crawler.Frontier, crawl string) crawler.Task {
	t.Helper()
	tasks, _, err := c.NextTasks(t.Context(), crawl, 1)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("NextTasks: got %d tasks and error %v, want 1", len(tasks), err)
	}
	return tasks[0]
}

// wantNone fails unless there is no task to claim; it returns the wait.
func wantNone(t *testing.T, c crawler.Frontier, crawl string) time.Duration {
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

var visited = crawler.Outcome{State: crawler.Visited}

func finish(t *testing.T, c crawler.Frontier, crawl string, task crawler.Task, o crawler.Outcome, found ...crawler.Task) int {
	t.Helper()
	return must(c.FinishTask(t.Context(), crawl, task, o, found))(t)
}

func tasksComeBack(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	source := palate.Source{
		Address: "https://img.example/1.jpg", Page: "https://example/1", Site: "example", Title: "Größe und Maß", Artist: "Ilse Varnhagen",
		Year: -450, Categories: []string{"a", "b"}, Licence: "CC0-1.0", RetrievedAt: day,
	}
	want := crawler.Task{
		Kind: crawler.Image, URL: "https://img.example/ü.jpg?x=1#y", Referer: "https://example/", Depth: 3, NotBefore: day,
		Source: source, Alternatives: []string{"https://a.example/1", "https://b.example/2"},
	}
	begin(t, c, "museum", want, page("https://example/"))
	got := next(t, c, "museum")
	if got.ID == 0 {
		t.Error("the task has no ID")
	}
	want.ID = got.ID
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	other := source
	other.Title = "another"
	finish(t, c, "museum", got, visited, crawler.Task{Kind: crawler.Page, URL: "https://example/led", Leads: []crawler.Lead{
		{Addresses: []string{"https://img.example/a", "https://img.example/b"}, Around: true, Caption: "ü", Source: source, Depth: 1},
		{Addresses: []string{"https://img.example/c"}, Person: true, Width: 300, Source: other},
	}})
	finish(t, c, "museum", next(t, c, "museum"), visited)
	led := next(t, c, "museum")
	if len(led.Leads) != 2 || led.Leads[0].Addresses[1] != "https://img.example/b" || !led.Leads[0].Around || led.Leads[0].Caption != "ü" ||
		!reflect.DeepEqual(led.Leads[0].Source, source) || !led.Leads[1].Person || led.Leads[1].Width != 300 {
		t.Errorf("leads came back as %+v", led.Leads)
	}
}

func taskOrder(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	begin(t, c, "museum", page("p1"), pic("i1"), crawler.Task{Kind: crawler.API, URL: "a1"}, pic("i2"), page("p2"))
	var got []string
	for range 5 {
		got = append(got, next(t, c, "museum").URL)
	}
	equalList(t, "order", got, []string{"i1", "i2", "p1", "a1", "p2"})
	equal(t, "wait when all is claimed", wantNone(t, c, "museum"), 0)
}

func duplicates(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	p := begin(t, c, "museum", page("a"), page("a"), pic("a"), page("b"))
	equal(t, "pending", p.Pending, 3)
	seen := next(t, c, "museum")
	equal(t, "picture first", seen.Kind, crawler.Image)
	equal(t, "added", finish(t, c, "museum", seen, crawler.Outcome{State: crawler.Kept}, page("a"), pic("a"), page("c"), page("c"), pic("c")), 2)
	task := next(t, c, "museum")
	equal(t, "next", task.URL, "c")
	equal(t, "its own address again", finish(t, c, "museum", task, visited, page("c"), task), 0)
}

func refused(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	far := crawler.Task{Kind: crawler.Page, URL: "https://elsewhere.example/a?x=1:2", Refused: "off_site"}
	deep := far
	deep.Refused = "too_deep"
	p := begin(t, c, "museum", far, far, deep, page(far.URL))
	equal(t, "pending", p.Pending, 3)
	for _, want := range []string{"off_site", "too_deep", ""} {
		got := next(t, c, "museum")
		equal(t, "refused", got.Refused, want)
		equal(t, "address", got.URL, far.URL)
	}
}

func resume(t *testing.T, c crawler.Frontier, again func() crawler.Frontier) {
	p := begin(t, c, "museum", page("a"), page("b"), page("c"))
	equal(t, "resumed at first", p.Resumed, false)
	equal(t, "round", p.Round, 1)
	a, b := next(t, c, "museum"), next(t, c, "museum")
	finish(t, c, "museum", a, visited, pic("i"))
	b.Attempts = 1
	ok(t, "PostponeTask", c.PostponeTask(t.Context(), "museum", b, time.Now().Add(-time.Second)))
	next(t, c, "museum")
	// Killed with a picture claimed.
	if closer, durable := c.(io.Closer); durable {
		ok(t, "Close", closer.Close())
	}
	c = again()
	p = begin(t, c, "museum", page("a"), page("another seed"))
	equal(t, "resumed", p.Resumed, true)
	equal(t, "round", p.Round, 1)
	equal(t, "pending", p.Pending, 3)
	equal(t, "pages", p.Pages, 1)
	got, _, err := c.NextTasks(t.Context(), "museum", 10)
	ok(t, "NextTasks", err)
	equalList(t, "tasks", urls(got), []string{"i", "b", "c"})
	equal(t, "attempts", got[1].Attempts, 1)
	equal(t, "found again", finish(t, c, "museum", got[0], crawler.Outcome{State: crawler.Kept}, page("a")), 0)
	// Begun again in the same process: claims are forgotten.
	equal(t, "pending", begin(t, c, "museum").Pending, 2)
	equal(t, "claimable", next(t, c, "museum").URL, "b")
	equal(t, "progress is resumed", must(c.CrawlProgress(t.Context(), "museum"))(t).Resumed, true)
}

func rounds(t *testing.T, c crawler.Frontier, again func() crawler.Frontier) {
	begin(t, c, "museum", page("a"))
	first := next(t, c, "museum")
	finish(t, c, "museum", first, visited, pic("i"))
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Lost, Reason: "too_small", Detail: "3×4 px"})
	equal(t, "wait at the end", wantNone(t, c, "museum"), 0)
	for _, c := range []crawler.Frontier{c, again()} {
		p := begin(t, c, "museum", page("a"))
		equal(t, "resumed", p.Resumed, false)
		equal(t, "pending", p.Pending, 1)
		equal(t, "pages", p.Pages, 0)
		equal(t, "lost", len(p.Lost), 0)
		task := next(t, c, "museum")
		equal(t, "address", task.URL, "a")
		if task.ID == first.ID {
			t.Error("a task of another round has the same ID")
		}
		_, err := c.FinishTask(t.Context(), "museum", first, visited, nil)
		wantKind(t, "task of an earlier round", err, palate.ErrNotFound)
		equal(t, "found again in this round", finish(t, c, "museum", task, visited, pic("i")), 1)
		finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Known})
	}
	equal(t, "round", must(c.CrawlProgress(t.Context(), "museum"))(t).Round, 3)
	equal(t, "a round without seeds", begin(t, c, "museum").Pending, 0)
}

func postponed(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	ctx := t.Context()
	begin(t, c, "museum", page("a"), page("b"), page("c"), crawler.Task{Kind: crawler.Page, URL: "later", NotBefore: time.Now().Add(2 * time.Hour)})
	tasks, _, err := c.NextTasks(ctx, "museum", 10)
	ok(t, "NextTasks", err)
	equalList(t, "due", urls(tasks), []string{"a", "b", "c"})
	if wait := wantNone(t, c, "museum"); wait <= time.Hour || wait > 2*time.Hour {
		t.Errorf("wait %v, want up to 2h", wait)
	}
	soon := time.Now().Add(20 * time.Millisecond)
	ok(t, "PostponeTask", c.PostponeTask(ctx, "museum", tasks[1], time.Now().Add(time.Hour)))
	tasks[0].Attempts = 1
	ok(t, "PostponeTask", c.PostponeTask(ctx, "museum", tasks[0], soon))
	for {
		tasks, wait, err := c.NextTasks(ctx, "museum", 10)
		ok(t, "NextTasks", err)
		if len(tasks) > 0 {
			equalList(t, "due", urls(tasks), []string{"a"})
			equal(t, "attempts", tasks[0].Attempts, 1)
			if time.Now().Before(soon) {
				t.Error("the task came before its time")
			}
			break
		}
		if wait <= 0 || wait > time.Hour {
			t.Fatalf("wait %v, want until the task is due", wait)
		}
		<-time.After(wait)
	}
	ok(t, "PostponeTask at once", c.PostponeTask(ctx, "museum", tasks[2], time.Time{}))
	got := next(t, c, "museum")
	equal(t, "task", got.URL, "c")
	equal(t, "attempts of a request that was not sent", got.Attempts, 0)
	equal(t, "pending", must(c.CrawlProgress(ctx, "museum"))(t).Pending, 4)
	// Oldest first, whatever time they waited for.
	for i, task := range []crawler.Task{got, tasks[0]} {
		ok(t, "PostponeTask", c.PostponeTask(ctx, "museum", task, day.Add(time.Duration(i)*time.Hour)))
	}
	equal(t, "oldest of the due", next(t, c, "museum").URL, "a")
}

func endsOnce(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	begin(t, c, "museum", pic("a"))
	task := next(t, c, "museum")
	finish(t, c, "museum", task, crawler.Outcome{State: crawler.Kept})
	_, err := c.FinishTask(t.Context(), "museum", task, visited, []crawler.Task{page("b")})
	wantKind(t, "second FinishTask", err, palate.ErrConflict)
	wantKind(t, "PostponeTask", c.PostponeTask(t.Context(), "museum", task, day), palate.ErrConflict)
	p := must(c.CrawlProgress(t.Context(), "museum"))(t)
	equal(t, "kept", p.Kept, 1)
	equal(t, "pending", p.Pending, 0)
}

func progress(t *testing.T, c crawler.Frontier, again func() crawler.Frontier) {
	var seeds []crawler.Task
	for n := range 9 {
		seeds = append(seeds, page(fmt.Sprint("p", n)))
	}
	begin(t, c, "museum", seeds...)
	for _, o := range []crawler.Outcome{
		visited, visited, {State: crawler.Kept}, {State: crawler.Known}, {State: crawler.Known}, {State: crawler.Known},
		{State: crawler.Lost, Reason: "robots"}, {State: crawler.Lost, Reason: "too_small", Detail: "a"}, {State: crawler.Lost, Reason: "too_small", Detail: "b"},
	} {
		finish(t, c, "museum", next(t, c, "museum"), o)
	}
	want := crawler.Progress{Round: 1, Pages: 2, Kept: 1, Known: 3, Lost: map[string]int{"robots": 1, "too_small": 2}}
	if got := must(c.CrawlProgress(t.Context(), "museum"))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	other := again()
	if other == c {
		return
	}
	want.Resumed = true // for another process, an earlier run began it
	if got := must(other.CrawlProgress(t.Context(), "museum"))(t); !reflect.DeepEqual(got, want) {
		t.Errorf("other handle: got %+v, want %+v", got, want)
	}
}

func retraced(t *testing.T, f crawler.Frontier, again func() crawler.Frontier) {
	barren := crawler.Outcome{State: crawler.Visited, Gave: crawler.GaveNothing}
	begin(t, f, "museum", page("a"))
	shut := crawler.Task{Kind: crawler.Page, URL: "shut", Refused: "page_nofollow"}
	finish(t, f, "museum", next(t, f, "museum"), visited, crawler.Task{Kind: crawler.Page, URL: "b", Referer: "a"}, pic("p"), shut, page("c"))
	finish(t, f, "museum", next(t, f, "museum"), crawler.Outcome{State: crawler.Kept})
	finish(t, f, "museum", next(t, f, "museum"), barren)
	// What comes to a page later leaves that as it is.
	begin(t, f, "museum")
	f = again()
	want := []crawler.Step{{URL: "a", State: crawler.Visited}, {URL: "b", Referer: "a", State: crawler.Visited, Gave: crawler.GaveNothing}, {URL: "c", State: crawler.Pending}}
	var got []crawler.Step
	ok(t, "Retrace", f.Retrace(t.Context(), "museum", func(s crawler.Step) error { got = append(got, s); return nil }))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := f.Retrace(t.Context(), "museum", func(crawler.Step) error { return io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("the visitor's error became %v", err)
	}
	wantKind(t, "Retrace", f.Retrace(t.Context(), "none", nil), palate.ErrNotFound)
}

func separateCrawls(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	begin(t, c, "one", page("a"))
	begin(t, c, "two", page("a"), page("b"))
	task := next(t, c, "one")
	_, err := c.FinishTask(t.Context(), "two", task, visited, nil)
	wantKind(t, "task of another crawl", err, palate.ErrNotFound)
	finish(t, c, "one", task, visited, page("b"))
	tasks, _, err := c.NextTasks(t.Context(), "two", 5)
	ok(t, "NextTasks", err)
	equalList(t, "tasks of two", urls(tasks), []string{"a", "b"})
	equal(t, "pending of one", must(c.CrawlProgress(t.Context(), "one"))(t).Pending, 1)
}

func frontierRefused(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	ctx := t.Context()
	_, _, err := c.NextTasks(ctx, "none", 1)
	wantKind(t, "NextTasks of no crawl", err, palate.ErrNotFound)
	_, err = c.CrawlProgress(ctx, "none")
	wantKind(t, "CrawlProgress of no crawl", err, palate.ErrNotFound)
	_, err = c.BeginCrawl(ctx, "", nil)
	wantKind(t, "no name", err, palate.ErrInvalid)
	for what, seed := range map[string]crawler.Task{"no kind": {URL: "a"}, "no URL": {Kind: crawler.Page}, "URL that is no text": page("\xff")} {
		_, err := c.BeginCrawl(ctx, "none", []crawler.Task{page("good"), seed})
		wantKind(t, what, err, palate.ErrInvalid)
	}
	_, err = c.CrawlProgress(ctx, "none")
	wantKind(t, "still no crawl", err, palate.ErrNotFound)
	begin(t, c, "museum", page("a"))
	task := next(t, c, "museum")
	for what, o := range map[string]crawler.Outcome{"pending": {State: crawler.Pending}, "no state": {}, "loss without a reason": {State: crawler.Lost}} {
		_, err := c.FinishTask(ctx, "museum", task, o, []crawler.Task{page("b")})
		wantKind(t, what, err, palate.ErrInvalid)
	}
	_, err = c.FinishTask(ctx, "museum", task, visited, []crawler.Task{page("b"), page("")})
	wantKind(t, "found task without URL", err, palate.ErrInvalid)
	_, _, err = c.NextTasks(ctx, "museum", 0)
	wantKind(t, "no limit", err, palate.ErrInvalid)
	equal(t, "pending", must(c.CrawlProgress(ctx, "museum"))(t).Pending, 1)
	equal(t, "found once more", finish(t, c, "museum", task, visited, page("b")), 1)
}

func wantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s: got error %v, want %v", what, err, kind)
	}
}

func ok(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// must is for calls that give a value: must(f.CrawlProgress(ctx, name))(t).
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatalf("got error %v, want none", err)
		}
		return v
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func equalList[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
