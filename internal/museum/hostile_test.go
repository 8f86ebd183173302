package museum_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/museum"
	"github.com/palate-art/palate/internal/picture"
)

func (v visitor) misbehave(b museum.Behaviour) {
	v.Helper()
	if err := v.museum.SetBehaviour(b); err != nil {
		v.Fatal(err)
	}
}

// raw asks without following redirects.
func (v visitor) raw(address string) (*http.Response, []byte, error) {
	v.Helper()
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { v.client.CheckRedirect = nil }()
	return v.try(address)
}

func TestEachFaultIsSeenByAPlainClient(t *testing.T) {
	v := open(t, few(5))
	w := v.museum.Works()[0]
	good, err := v.museum.File(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		rule museum.Rule
		seen func(resp *http.Response, body []byte, err error) bool
	}{
		{museum.Rule{Fault: museum.Slow, Delay: time.Millisecond}, func(_ *http.Response, body []byte, err error) bool {
			return err == nil && bytes.Equal(body, good)
		}},
		{museum.Rule{Fault: museum.Trickle, Delay: time.Microsecond}, func(_ *http.Response, body []byte, err error) bool {
			return err == nil && bytes.Equal(body, good)
		}},
		{museum.Rule{Fault: museum.RedirectLoop}, func(resp *http.Response, _ []byte, _ error) bool {
			return resp.StatusCode == 302 && resp.Header.Get("Location") == "/loop/0"
		}},
		{museum.Rule{Fault: museum.RedirectScheme}, func(resp *http.Response, _ []byte, _ error) bool {
			return resp.StatusCode == 302 && strings.HasPrefix(resp.Header.Get("Location"), "ftp://")
		}},
		{museum.Rule{Fault: museum.RedirectHost}, func(resp *http.Response, _ []byte, _ error) bool {
			return resp.StatusCode == 302 && strings.HasPrefix(resp.Header.Get("Location"), "http://elsewhere.test/")
		}},
		{museum.Rule{Fault: museum.HTMLAsPicture}, func(resp *http.Response, body []byte, _ error) bool {
			return resp.StatusCode == 200 && resp.Header.Get("Content-Type") == "image/jpeg" && bytes.HasPrefix(body, []byte("<!DOCTYPE"))
		}},
		{museum.Rule{Fault: museum.PictureAsHTML}, func(resp *http.Response, body []byte, _ error) bool {
			return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") && bytes.Equal(body, good)
		}},
		{museum.Rule{Fault: museum.LongLength}, func(resp *http.Response, _ []byte, err error) bool {
			return resp.ContentLength == int64(2*len(good)+1) && errors.Is(err, io.ErrUnexpectedEOF)
		}},
		{museum.Rule{Fault: museum.ShortLength}, func(_ *http.Response, body []byte, _ error) bool {
			return len(body) == len(good)/2
		}},
		{museum.Rule{Fault: museum.Truncated}, func(resp *http.Response, body []byte, err error) bool {
			_, _, broken := picture.Decode(bytes.NewReader(body), picture.DefaultLimits())
			return err == nil && resp.ContentLength == int64(len(good)/2) && broken != nil
		}},
		{museum.Rule{Fault: museum.Garbage}, func(resp *http.Response, body []byte, _ error) bool {
			_, _, broken := picture.Decode(bytes.NewReader(body), picture.DefaultLimits())
			return resp.Header.Get("Content-Type") == w.ContentType && len(body) == len(good) && broken != nil
		}},
		{museum.Rule{Fault: museum.Bomb}, func(_ *http.Response, body []byte, _ error) bool {
			_, _, broken := picture.Decode(bytes.NewReader(body), picture.DefaultLimits())
			var limit *picture.LimitError
			return len(body) < 200 && errors.As(broken, &limit)
		}},
		{museum.Rule{Fault: museum.StatusOnly, Status: 429, RetryAfter: 1500 * time.Millisecond}, func(resp *http.Response, _ []byte, _ error) bool {
			return resp.StatusCode == 429 && resp.Header.Get("Retry-After") == "2"
		}},
		{museum.Rule{Fault: museum.StatusOnly, Status: 503, RetryAfter: time.Hour, RetryDate: true}, func(resp *http.Response, _ []byte, _ error) bool {
			at, err := http.ParseTime(resp.Header.Get("Retry-After"))
			return resp.StatusCode == 503 && err == nil && at.After(time.Now())
		}},
		{museum.Rule{Fault: museum.StatusOnly, Status: 500}, func(resp *http.Response, _ []byte, _ error) bool {
			return resp.StatusCode == 500 && resp.Header.Get("Retry-After") == ""
		}},
		{museum.Rule{Fault: museum.ConnectionReset}, func(_ *http.Response, body []byte, err error) bool {
			return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.ErrUnexpectedEOF) && len(body) < len(good)
		}},
	} {
		t.Run(string(tc.rule.Fault)+strconv.Itoa(tc.rule.Status), func(t *testing.T) {
			tc.rule.Targets = museum.Pictures
			v.misbehave(museum.Behaviour{Rules: []museum.Rule{tc.rule}})
			v.museum.ClearLog()
			resp, body, err := v.raw(w.ImageURL)
			if resp == nil && tc.rule.Fault != museum.ConnectionReset {
				t.Fatal(err)
			}
			if !tc.seen(resp, body, err) {
				t.Errorf("answer %v, %d bytes, %v: the fault does not show", resp, len(body), err)
			}
			if log := v.museum.AccessLog(); len(log) != 1 || log[0].Fault != tc.rule.Fault {
				t.Errorf("access log %+v, want one request with %q", log, tc.rule.Fault)
			}
			v.get(v.museum.GalleryURL()) // pages are no target
		})
	}
}

func TestAnEndlessBodyEndsWithTheClient(t *testing.T) {
	v := open(t, few(5))
	v.misbehave(museum.Behaviour{Rules: []museum.Rule{{Fault: museum.EndlessBody, Targets: museum.Pages}}})
	resp, err := v.client.Get(v.museum.GalleryURL())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, resp.Body, 20<<20); n != 20<<20 {
		t.Errorf("body ended after %d bytes: %v", n, err)
	}
	resp.Body.Close() // open's cleanup hangs if the server goes on writing
}

func TestARedirectLoopNeverEnds(t *testing.T) {
	v := open(t, few(5))
	v.misbehave(museum.Behaviour{Rules: []museum.Rule{{Fault: museum.RedirectLoop}}})
	_, _, err := v.try(v.museum.Works()[1].ImageURL)
	if err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Errorf("error %v, want too many redirects", err)
	}
}

func TestRulesChooseWorksSharesAndFirstRequests(t *testing.T) {
	v := open(t, few(40))
	works := v.museum.Works()
	failed := func() (out []int) {
		for _, w := range works {
			if resp, _, err := v.raw(w.PageURL); err != nil || resp.StatusCode != 200 {
				out = append(out, w.Index)
			}
		}
		return out
	}
	v.misbehave(museum.Behaviour{Rules: []museum.Rule{{Fault: museum.StatusOnly, Status: 404, Works: []int{3, 7}}}})
	if got := failed(); len(got) != 2 || got[0] != 3 || got[1] != 7 {
		t.Errorf("failed: %v, want 3 and 7", got)
	}
	v.misbehave(museum.Behaviour{Rules: []museum.Rule{{Fault: museum.StatusOnly, Status: 404, Fraction: .4}}})
	share := failed()
	if len(share) < 8 || len(share) > 24 {
		t.Errorf("%d of 40 failed, want about 16", len(share))
	}
	if again := failed(); len(again) != len(share) {
		t.Errorf("another share failed the second time: %v, %v", share, again)
	}
	v.misbehave(museum.Behaviour{Rules: []museum.Rule{{Fault: museum.StatusOnly, Status: 429, First: 2}}})
	for k, want := range []int{429, 429, 200, 200} {
		resp, _, err := v.raw(works[0].PageURL)
		if err != nil || resp.StatusCode != want {
			t.Errorf("request %d: %v, want %d", k, resp, want)
		}
	}
	v.misbehave(museum.Behaviour{})
	if got := failed(); len(got) != 0 {
		t.Errorf("failed without a rule: %v", got)
	}
}

func TestMaxlagComesWithStatus200AndGoesAway(t *testing.T) {
	v := open(t, few(5))
	v.misbehave(museum.Behaviour{Maxlag: 1, MaxlagRetryAfter: 2 * time.Second})
	address := v.museum.CommonsAPIURL() + "?action=query&format=json&maxlag=5&titles=X"
	resp, body, err := v.try(address)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Retry-After") != "2" || !bytes.Contains(body, []byte(`"code":"maxlag"`)) {
		t.Errorf("%v %s, want the error maxlag", resp, body)
	}
	if body := v.get(address); bytes.Contains(body, []byte("maxlag")) {
		t.Errorf("%s, want no further error", body)
	}
}

func TestRobotsFileFollowsTheBehaviour(t *testing.T) {
	v := open(t, few(5))
	address := "http://" + museum.GalleryHost + "/robots.txt"
	if got, want := string(v.get(address)), "User-agent: *\nDisallow: /private/\n"; got != want {
		t.Errorf("robots.txt %q, want %q", got, want)
	}
	v.misbehave(museum.Behaviour{Robots: museum.Robots{Disallow: []string{"/works/"}, CrawlDelay: 500 * time.Millisecond}})
	if got := string(v.get(address)); !strings.Contains(got, "Disallow: /works/\nCrawl-delay: 0.5\n") {
		t.Errorf("robots.txt %q", got)
	}
	v.misbehave(museum.Behaviour{Robots: museum.Robots{Status: 503}})
	if resp, _, err := v.raw(address); err != nil || resp.StatusCode != 503 {
		t.Errorf("robots.txt: %v, want 503", resp)
	}
}

func TestTheCalendarIsEndlessOnlyWhenSwitchedOn(t *testing.T) {
	v := open(t, few(5))
	far := "http://" + museum.GalleryHost + "/calendar/3000/1"
	if resp, _, err := v.raw(far); err != nil || resp.StatusCode != 404 {
		t.Errorf("%v, want 404", resp)
	}
	v.misbehave(museum.Behaviour{EndlessPages: true})
	if body := string(v.get(far)); !strings.Contains(body, `href="/calendar/3001/1"`) {
		t.Errorf("the page does not lead on:\n%s", body)
	}
}

func TestAWrongBehaviourIsRefusedWithAllProblems(t *testing.T) {
	m := newMuseum(t, few(1))
	err := m.SetBehaviour(museum.Behaviour{
		Rules: []museum.Rule{
			{Fault: "nonsense"}, {Fault: museum.StatusOnly}, {Fault: museum.Slow, Fraction: 2}, {Fault: museum.Slow, Delay: -1},
		},
		Robots: museum.Robots{Status: 7}, Maxlag: -1,
	})
	if !errors.Is(err, palate.ErrInvalid) {
		t.Fatalf("error %v, want palate.ErrInvalid", err)
	}
	if got := strings.Count(err.Error(), "\n") + 1; got != 6 {
		t.Errorf("%d problems, want 6:\n%v", got, err)
	}
}
