package catalogtest

import (
	"reflect"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/catalog"
)

func tryAgain(t *testing.T, c catalog.Catalog, _ func() catalog.Catalog) {
	ctx := t.Context()
	reasons := []string{"unsupported_heic", "unsupported_avif"}
	equal(t, "no such crawl", must(c.TryAgain(ctx, "museum", reasons))(t), catalog.Again{})
	from := func(page string, pictures ...string) (found []crawler.Task) {
		for _, url := range pictures {
			p := pic(url)
			p.Referer, p.Source = page, palate.Source{Title: "of " + url}
			found = append(found, p)
		}
		return found
	}
	lose := func(reason string) {
		t.Helper()
		finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Lost, Reason: reason})
	}
	begin(t, c, "museum", page("p"), page("q"), page("later"))
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Visited, Shown: "x"}, from("p", "a.heic", "b.avif", "c.jpg")...)
	lose("unsupported_heic")
	lose("unsupported_avif")
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Kept})
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Visited}, from("q", "d.svg")...)
	lose("unsupported_svg")
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Visited}, append(from("elsewhere", "e.heic"), page("last"))...)
	lose("unsupported_heic")

	equal(t, "what is tried again", must(c.TryAgain(ctx, "museum", reasons))(t), catalog.Again{Pictures: 2, Pages: 1})
	want := crawler.Progress{Round: 1, Pending: 2, Pages: 2, Kept: 1, Lost: map[string]int{"unsupported_svg": 1, "unsupported_heic": 1}}
	got := must(c.CrawlProgress(ctx, "museum"))(t)
	got.Added = 0
	for reason, n := range got.Lost {
		if n == 0 {
			delete(got.Lost, reason)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	equal(t, "again", must(c.TryAgain(ctx, "museum", reasons))(t), catalog.Again{})
	task := next(t, c, "museum")
	equal(t, "the page", task.URL, "p")
	finish(t, c, "museum", task, crawler.Outcome{State: crawler.Visited}, from("p", "a.heic", "b.avif", "c.jpg")...)
	for _, url := range []string{"a.heic", "b.avif"} {
		task = next(t, c, "museum")
		equal(t, "picture", task.URL, url)
		equal(t, "what is said of it", task.Source.Title, "of "+url)
		finish(t, c, "museum", task, crawler.Outcome{State: crawler.Kept})
	}
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Visited})
	equal(t, "of a round that has ended", must(c.TryAgain(ctx, "museum", []string{"unsupported_svg"}))(t), catalog.Again{})
}

func crawls(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	begin(t, c, "museum", pic("a"), pic("b"), pic("c"), page("p"), page("later"))
	ok(t, "SetCrawlSettings", c.SetCrawlSettings(ctx, "museum", `{"seeds":["x"]}`))
	added := must(c.AddImage(ctx, damaged(1, "its data end early"), sourceOf(1), &catalog.CrawlTask{Crawl: "museum", Task: next(t, c, "museum")}))(t)
	equal(t, "new image", added.Image, true)
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Lost, Reason: "too_small", Detail: "3×3"})
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Lost, Reason: "http_404"})
	finish(t, c, "museum", next(t, c, "museum"), crawler.Outcome{State: crawler.Lost, Reason: "page_robots"})
	begin(t, c, "another", page("q"))
	ok(t, "Close", c.Close())
	c = again()

	list := must(c.ListCrawls(ctx))(t)
	equal(t, "crawls", len(list), 2)
	equal(t, "first", list[0].Name, "another")
	equal(t, "settings", list[1].Settings, `{"seeds":["x"]}`)
	equal(t, "kept", list[1].Progress.Kept, 1)
	equal(t, "pending", list[1].Progress.Pending, 1)
	equal(t, "lost", list[1].Progress.Lost["too_small"], 1)

	losses := must(c.CrawlLosses(ctx, "museum", "", 0, 10))(t)
	var got []string
	for _, l := range losses {
		got = append(got, l.URL+" "+l.Reason)
	}
	equalList(t, "losses", got, []string{"a damaged", "b too_small", "c http_404", "p page_robots"})
	equal(t, "detail", losses[1].Detail, "3×3")
	behind := must(c.CrawlLosses(ctx, "museum", "", losses[1].ID, 1))(t)
	equal(t, "behind the cursor", behind[0].URL, "c")
	equal(t, "of one reason", must(c.CrawlLosses(ctx, "museum", "page_robots", 0, 10))(t)[0].URL, "p")
	_, err := c.CrawlLosses(ctx, "none", "", 0, 10)
	wantKind(t, "CrawlLosses of none", err, palate.ErrNotFound)
	equal(t, "pictures", must(c.CrawlPictures(ctx, "museum"))(t).Added, 1)

	ok(t, "ForgetCrawl", c.ForgetCrawl(ctx, "museum"))
	wantKind(t, "ForgetCrawl again", c.ForgetCrawl(ctx, "museum"), palate.ErrNotFound)
	_, err = c.CrawlPictures(ctx, "museum")
	wantKind(t, "CrawlPictures", err, palate.ErrNotFound)
	if _, err := c.Image(ctx, picture(1).ID); err != nil {
		t.Errorf("the picture went with its crawl: %v", err)
	}
	equal(t, "a crawl of that name begins anew", begin(t, c, "museum", pic("a")).Resumed, false)
}

func subscriptions(t *testing.T, c catalog.Catalog, again func() catalog.Catalog) {
	ctx := t.Context()
	first := catalog.Subscription{Name: "a", Settings: `{}`, Every: time.Hour, Next: day}
	ok(t, "PutSubscription", c.PutSubscription(ctx, catalog.Subscription{Name: "b", Settings: `{"x":1}`, Every: 24 * time.Hour, Next: day.Add(time.Hour), Paused: true}))
	ok(t, "PutSubscription", c.PutSubscription(ctx, first))
	first.Last, first.Next, first.Brought, first.Failure, first.Quiet = day, day.Add(time.Hour), 3, "away", 2
	ok(t, "PutSubscription", c.PutSubscription(ctx, first))
	ok(t, "Close", c.Close())
	c = again()
	list := must(c.ListSubscriptions(ctx))(t)
	equal(t, "subscriptions", len(list), 2)
	equal(t, "changed", list[0], first)
	equal(t, "paused", list[1].Paused, true)
	equal(t, "never looked at", list[1].Last.IsZero(), true)
	wantKind(t, "too often", c.PutSubscription(ctx, catalog.Subscription{Name: "c", Every: time.Second, Next: day}), palate.ErrInvalid)
	wantKind(t, "without a name", c.PutSubscription(ctx, catalog.Subscription{Every: time.Hour, Next: day}), palate.ErrInvalid)
	ok(t, "DeleteSubscription", c.DeleteSubscription(ctx, "b"))
	wantKind(t, "DeleteSubscription again", c.DeleteSubscription(ctx, "b"), palate.ErrNotFound)
	equal(t, "left", len(must(c.ListSubscriptions(ctx))(t)), 1)
}
