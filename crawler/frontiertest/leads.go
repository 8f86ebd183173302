package frontiertest

import (
	"reflect"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/crawler"
)

// lead is a picture on the page from, which links to another.
func lead(address, from string) crawler.Lead {
	l := crawler.Lead{Addresses: []string{address}, Around: true}
	l.Source.Page = from
	return l
}

func led(url string, leads ...crawler.Lead) crawler.Task {
	return crawler.Task{Kind: crawler.Page, URL: url, Leads: leads}
}

func leadURLs(leads []crawler.Lead) (list []string) {
	for _, l := range leads {
		list = append(list, l.Addresses[0])
	}
	return list
}

// claimAll claims what is due.
func claimAll(t *testing.T, c crawler.Frontier) []crawler.Task {
	t.Helper()
	tasks, _, err := c.NextTasks(t.Context(), "museum", 100)
	ok(t, "NextTasks", err)
	return tasks
}

// Leads that come to a page before it is claimed are with it; those that come
// while it is read are decided on when it ends. A process that is killed
// between loses none of them.
func leadsToWaiting(t *testing.T, c crawler.Frontier, again func() crawler.Frontier) {
	begin(t, c, "museum", page("http://a.test/1"), page("http://a.test/2"), page("http://a.test/3"), page("http://a.test/work"))
	lists := claimAll(t, c)[:3]
	finish(t, c, "museum", lists[0], visited, led("http://a.test/work", lead("http://a.test/thumbs/ash.jpg", "1")))
	begin(t, c, "museum")
	tasks := claimAll(t, c)
	work := tasks[len(tasks)-1]
	equalList(t, "leads when claimed", leadURLs(work.Leads), []string{"http://a.test/thumbs/ash.jpg"})
	finish(t, c, "museum", lists[1], visited, led("http://a.test/work", lead("http://a.test/thumbs/birch.jpg", "2")))
	c = again()
	begin(t, c, "museum") // as after a kill
	tasks = claimAll(t, c)
	work = tasks[len(tasks)-1]
	equalList(t, "leads after a kill", leadURLs(work.Leads), []string{"http://a.test/thumbs/ash.jpg", "http://a.test/thumbs/birch.jpg"})
	finish(t, c, "museum", lists[2], visited, led("http://a.test/work", lead("http://a.test/thumbs/cedar.jpg", "3")))
	equal(t, "added for the lead that came meanwhile", finish(t, c, "museum", work, crawler.Outcome{State: crawler.Lost, Reason: "page_gone"}), 1)
	equalList(t, "given back", urls(claimAll(t, c)), []string{"http://a.test/thumbs/cedar.jpg"})
}

// Leads to a page that has ended are candidates unless it showed them.
func leadsToEnded(t *testing.T, c crawler.Frontier, again func() crawler.Frontier) {
	begin(t, c, "museum", page("http://a.test/gone"), page("http://a.test/read"), pic("http://a.test/picture"), page("http://a.test/picture"), page("http://a.test/list"))
	for _, task := range claimAll(t, c)[:4] {
		o := visited
		switch {
		case task.URL == "http://a.test/gone":
			o = crawler.Outcome{State: crawler.Lost, Reason: "page_gone"}
		case task.URL == "http://a.test/picture":
			o = crawler.Outcome{State: crawler.Kept}
		}
		finish(t, c, "museum", task, o)
	}
	c = again()
	begin(t, c, "museum")
	list := next(t, c, "museum")
	added := finish(t, c, "museum", list, visited,
		led("http://a.test/gone", lead("http://a.test/thumbs/ash.jpg", "1")),
		led("http://a.test/read", lead("http://a.test/thumbs/birch.jpg", "1")),
		led("http://a.test/picture", lead("http://a.test/thumbs/cedar.jpg", "1")), // a smaller size of what was kept
		led("http://a.test/list", lead("http://a.test/thumbs/dogwood.jpg", "1")))  // the page itself
	equal(t, "added", added, 3)
	equalList(t, "candidates", urls(claimAll(t, c)), []string{"http://a.test/thumbs/ash.jpg", "http://a.test/thumbs/birch.jpg", "http://a.test/thumbs/dogwood.jpg"})
	equal(t, "pending", must(c.CrawlProgress(t.Context(), "museum"))(t).Pending, 3)
}

// A picture that would stand for the leads of two pages stands for none.
func standsForOne(t *testing.T, c crawler.Frontier, again func() crawler.Frontier) {
	stands := func(page, address string) crawler.Task {
		return crawler.Task{Kind: crawler.Image, URL: "http://a.test/frame.png", For: &crawler.Stand{Page: page, Lead: lead(address, "list")}}
	}
	begin(t, c, "museum", page("1"), page("2"), page("3"), page("4"))
	pages := claimAll(t, c)
	equal(t, "the picture", finish(t, c, "museum", pages[0], visited, stands("1", "http://a.test/ash.jpg")), 1)
	equal(t, "the same once more", finish(t, c, "museum", pages[1], visited, stands("1", "http://a.test/ash.jpg")), 0)
	if claimed := next(t, c, "museum"); claimed.For == nil || claimed.For.Page != "1" {
		t.Errorf("came back for %+v", claimed.For)
	} else {
		finish(t, c, "museum", claimed, crawler.Outcome{State: crawler.Kept})
	}
	c = again()
	begin(t, c, "museum")
	pages = claimAll(t, c)
	equal(t, "both leads", finish(t, c, "museum", pages[0], visited, stands("3", "http://a.test/birch.jpg")), 2)
	equal(t, "the third's", finish(t, c, "museum", pages[1], visited, stands("4", "http://a.test/cedar.jpg")), 1)
	equalList(t, "candidates", urls(claimAll(t, c)), []string{"http://a.test/ash.jpg", "http://a.test/birch.jpg", "http://a.test/cedar.jpg"})
}

// A picture that a page shows, and stands for a lead that came while the page
// was read, keeps what the page says of it.
func lateLeadsLeaveTheSource(t *testing.T, c crawler.Frontier, _ func() crawler.Frontier) {
	begin(t, c, "museum", page("http://a.test/list"), page("http://a.test/work"))
	tasks := claimAll(t, c)
	finish(t, c, "museum", tasks[0], visited, led("http://a.test/work", lead("http://a.test/thumbs/ash.jpg", "http://a.test/list")))
	shown := pic("http://a.test/whole.jpg")
	shown.Source = palate.Source{Title: "Ash", Artist: "Ilse Varnhagen", ExternalID: "PM-1"}
	// What a crawl notes of a page whose only picture is this one.
	read := crawler.Outcome{State: crawler.Visited, Shown: `{"v":1,"only":{"url":"http://a.test/whole.jpg"}}`}
	equal(t, "added", finish(t, c, "museum", tasks[1], read, shown), 1)
	got := next(t, c, "museum")
	if !reflect.DeepEqual(got.Source, shown.Source) || got.Depth != shown.Depth {
		t.Errorf("the picture came back as %+v at depth %d, want %+v at %d", got.Source, got.Depth, shown.Source, shown.Depth)
	}
	if got.For == nil || got.For.Lead.Addresses[0] != "http://a.test/thumbs/ash.jpg" {
		t.Errorf("the picture came back for %+v, want the lead that came late", got.For)
	}
}
