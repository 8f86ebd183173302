package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/backup"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/job"
)

// waitFor asks until a job has ended, and gives it.
func (f *fixture) waitFor(t *testing.T, id int64) catalog.Run {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		run, err := f.catalog.RunByID(t.Context(), id)
		must(t, err)
		if run.State != catalog.Running {
			return run
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ended in a minute: %+v", run)
		}
	}
}

func jobID(t *testing.T, a answer) int64 {
	t.Helper()
	if a.status != http.StatusAccepted {
		t.Fatalf("got status %d: %s", a.status, a.body)
	}
	id := int64(a.field(t, "id").(float64))
	if want := fmt.Sprintf("/v1/jobs/%d", id); a.header.Get("Location") != want {
		t.Errorf("got location %q, want %q", a.header.Get("Location"), want)
	}
	return id
}

// start asks for a job.
func (f *fixture) start(t *testing.T, wanted map[string]any) answer {
	t.Helper()
	text, err := json.Marshal(wanted)
	must(t, err)
	return f.do(t, "POST", "/v1/jobs", string(text), "Content-Type", "application/json")
}

// Whoever reaches the API can have nothing read and no address visited that the
// operator did not open.
func TestJobsOpenNothingThatTheOperatorDidNot(t *testing.T) {
	f := newFixture(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret.jpg"), paint(t, red, 1), 0o600))
	must(t, os.Symlink(outside, filepath.Join(f.importRoot, "way-out")))
	must(t, os.Symlink(filepath.Join(outside, "secret.jpg"), filepath.Join(f.importRoot, "way-out.jpg")))
	for _, path := range []string{
		"/etc", "/etc/passwd", outside, filepath.Join(f.importRoot, ".."), filepath.Join(f.importRoot, "..", filepath.Base(outside)),
		f.importRoot + "-beside", filepath.Join(f.importRoot, "way-out"), filepath.Join(f.importRoot, "way-out", "secret.jpg"), filepath.Join(f.importRoot, "way-out.jpg"), "/no/such/thing",
	} {
		if a := f.start(t, map[string]any{"kind": "import", "path": path}); a.status != http.StatusForbidden {
			t.Errorf("import %s: got status %d, want 403: %s", path, a.status, a.body)
		}
	}
	for seed, want := range map[string]int{
		"file:///etc/passwd": 403, "html:file:///etc/passwd": 403, "FILE:///etc/passwd": 403, "ftp://museum.example/": 403, "gopher://127.0.0.1/": 403, "http://169.254.169.254/latest/meta-data/": 403, "http://127.0.0.1:9/": 403,
		"http://LocalHost.LOCALHOST:80/": 403, "http://[::1]/": 403, "http://10.0.0.1/": 403, "http://[fd00::1]/": 403, "http://[::ffff:127.0.0.1]/": 403,
		"html:http://192.168.1.1/admin": 403, "http://127.0.0.1/w/api.php?title=Category:X": 403, "http://a.localhost/": 403,
	} {
		a := f.start(t, map[string]any{"kind": "crawl", "seeds": []string{seed}})
		if a.status != want {
			t.Errorf("crawl %s: got status %d, want %d: %s", seed, a.status, want, a.body)
		}
	}
	for what, request := range map[string]map[string]any{
		"a file as a model":  {"kind": "embed", "model": "/etc/passwd"},
		"kept by a link":     {"kind": "import", "path": f.importRoot, "store": "link"},
		"unknown kind":       {"kind": "restore"},
		"a fine-tuning":      {"kind": "finetune"},
		"an arena":           {"kind": "arena"},
		"an import skips":    {"kind": "import", "path": f.importRoot, "verdict": "skip"},
		"a place to back up": {"kind": "backup", "path": outside},
		"how many may stay":  {"kind": "backup", "keep": 1},
		"a mending backup":   {"kind": "backup", "repair": true},
		"a deep embedding":   {"kind": "embed", "deep": true},
		"a model to crawl":   {"kind": "crawl", "seeds": []string{"https://a.example/"}, "model": "greys"},
		"an upgrade to it":   {"kind": "embed", "model": "greys", "upgrade": true},
		"a retry of another": {"kind": "embed", "model": "greys", "retry": true},
		"an address":         {"kind": "embed", "model": "https://a.example/model.onnx"},
		"no seeds":           {"kind": "crawl"},
		"no path":            {"kind": "import"},
		"a relative path":    {"kind": "import", "path": "etc"},
		"no profile":         {"kind": "train"},
		"another kind's":     {"kind": "embed", "path": f.importRoot},
		"what no profile is": {"kind": "train", "profile": "Not A Profile"},
	} {
		if a := f.start(t, request); a.status != http.StatusBadRequest {
			t.Errorf("%s: got status %d, want 400: %s", what, a.status, a.body)
		}
	}
	if a := f.start(t, map[string]any{"kind": "embed", "model": "a-stranger.onnx"}); a.status != http.StatusNotFound {
		t.Errorf("a model that nobody added: got status %d, want 404: %s", a.status, a.body)
	}
	if a := f.start(t, map[string]any{"kind": "import", "path": filepath.Join(f.importRoot, "nowhere")}); a.status != http.StatusNotFound {
		t.Errorf("a folder that is not there: got status %d, want 404: %s", a.status, a.body)
	}
	runs, err := f.catalog.ListRuns(t.Context(), 0, 10)
	if err != nil || len(runs) > 0 {
		t.Errorf("%d jobs were begun, %v", len(runs), err)
	}
}

// What lies below the root is imported, but for what a link leads out to: its
// pictures, and the metadata file that says what they are.
func TestAnImportReadsNothingThroughLinks(t *testing.T) {
	f := newFixture(t)
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret.jpg"), paint(t, red, 1), 0o600))
	good := filepath.Join(f.importRoot, "mine", "good")
	must(t, os.MkdirAll(good, 0o700))
	must(t, os.WriteFile(filepath.Join(good, "a.jpg"), paint(t, blue, 2), 0o600))
	must(t, os.Symlink("a.jpg", filepath.Join(good, "same.jpg")))
	must(t, os.Symlink(filepath.Join(outside, "secret.jpg"), filepath.Join(good, "leak.jpg")))
	must(t, os.Symlink(outside, filepath.Join(f.importRoot, "mine", "leaks")))
	id := jobID(t, f.start(t, map[string]any{"kind": "import", "path": filepath.Join(f.importRoot, "mine"), "profile": "me"}))
	run := f.waitFor(t, id)
	var report struct {
		Seen, Kept, Known, Rated int
		Lost                     map[string]int
	}
	must(t, json.Unmarshal(run.Result, &report))
	if run.State != catalog.Succeeded || report.Kept != 1 || report.Known != 1 || report.Rated != 1 || report.Seen != report.Kept+report.Known+report.Lost["unreadable"] {
		t.Errorf("got %s with %s: %s", run.State, run.Result, run.Error)
	}
	must(t, os.MkdirAll(filepath.Join(f.importRoot, "other"), 0o700))
	must(t, os.WriteFile(filepath.Join(outside, "metadata.csv"), []byte("file,title\nroot:x:0:0,secret\n"), 0o600))
	must(t, os.Symlink(filepath.Join(outside, "metadata.csv"), filepath.Join(f.importRoot, "other", "metadata.csv")))
	a := f.start(t, map[string]any{"kind": "import", "path": filepath.Join(f.importRoot, "other")})
	if a.status == http.StatusAccepted {
		run = f.waitFor(t, jobID(t, a))
		a.body = []byte(string(run.Result) + run.Error)
	}
	if strings.Contains(string(a.body), "secret") || strings.Contains(string(a.body), "root:x") {
		t.Errorf("what lies outside is told: %s", a.body)
	}
}

// A site that the operator opened redirects to one that he did not, by a page's
// redirect, a link and a picture's address: nobody knocks there.
func TestACrawlFollowsNoRedirectInside(t *testing.T) {
	knocked := make(chan string, 100)
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { knocked <- r.URL.Path }))
	defer inside.Close()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			fmt.Fprintf(w, `<a href="/page">more</a> <a href="%[1]s/link">out</a> <img src="%[1]s/picture.jpg"> <img src="/moved.jpg">`, inside.URL)
		case "/page", "/moved.jpg":
			http.Redirect(w, r, inside.URL+"/redirected"+r.URL.Path, http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer site.Close()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(site.URL, "http://"))
	must(t, err)
	f := newFixture(t) // whose operator opened "localhost" by that name, and not 127.0.0.1
	a := f.start(t, map[string]any{"kind": "crawl", "seeds": []string{"http://localhost:" + port + "/"}, "max_pages": 10})
	run := f.waitFor(t, jobID(t, a))
	var report struct{ Pages int }
	must(t, json.Unmarshal(run.Result, &report))
	if report.Pages < 1 {
		t.Errorf("got %s with %s: %s; want that the site itself was visited", run.State, run.Result, run.Error)
	}
	select {
	case path := <-knocked:
		t.Errorf("somebody knocked inside at %s", path)
	default:
	}
}

func TestJobsOfEveryKindAreStarted(t *testing.T) {
	f := newFixture(t)
	for n, c := range []struct{ colour, verdict string }{{"red", "like"}, {"blue", "dislike"}} {
		base := red
		if n == 1 {
			base = blue
		}
		for _, id := range f.add(t, 8, base, c.colour) {
			f.do(t, "PUT", fmt.Sprintf("/v1/profiles/me/ratings/%s", id), `{"verdict":"`+c.verdict+`"}`, "Content-Type", "application/json")
		}
	}
	for _, request := range []map[string]any{{"kind": "embed", "retry": true}, {"kind": "reindex"}, {"kind": "train", "profile": "me"}, {"kind": "verify", "deep": true}, {"kind": "backup"}} {
		a := f.start(t, request)
		run := f.waitFor(t, jobID(t, a))
		if run.State != catalog.Succeeded || run.Kind != request["kind"] {
			t.Errorf("%v: got %+v", request, run)
		}
		if run.Kind != "embed" && run.Done == 0 {
			t.Errorf("%v: done did not move", request)
		}
	}
}

// What a verification finds is its result; whether it is asked to mend decides
// what it does about it. That something is wrong does not make it fail.
func TestAVerificationTellsWhatIsWrong(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "red")
	must(t, f.index.Delete(t.Context(), ids[:1]))
	must(t, f.store.Delete(t.Context(), ids[1]))
	type found struct {
		Whole         bool
		Rows          int
		Found, Mended map[string]int
	}
	for _, c := range []struct {
		request map[string]any
		want    found
	}{
		{map[string]any{"kind": "verify"}, found{false, 3, map[string]int{"index_missing": 1, "missing": 1}, map[string]int{}}},
		{map[string]any{"kind": "verify", "repair": true}, found{false, 3, map[string]int{"index_missing": 1, "missing": 1}, map[string]int{"index_missing": 1}}},
		{map[string]any{"kind": "verify"}, found{false, 3, map[string]int{"missing": 1}, map[string]int{}}},
	} {
		run := f.waitFor(t, jobID(t, f.start(t, c.request)))
		var got found
		must(t, json.Unmarshal(run.Result, &got))
		if run.State != catalog.Succeeded || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: got %s with %s: %s; want %+v", c.request, run.State, run.Result, run.Error, c.want)
		}
	}
	_, err := f.collection.Add(t.Context(), paint(t, red, 2), palate.Source{Address: "https://museum.example/again.png"})
	must(t, err)
	run := f.waitFor(t, jobID(t, f.start(t, map[string]any{"kind": "verify"})))
	var got found
	if must(t, json.Unmarshal(run.Result, &got)); !got.Whole {
		t.Errorf("after the picture was added again: got %s", run.Result)
	}
}

// A backup lies where the operator wants it, and can be brought back.
func TestABackupGoesToTheOperatorsFolder(t *testing.T) {
	f := newFixture(t)
	f.add(t, 3, red, "red")
	for n, want := range []backup.Summary{{Pictures: 3, New: 3}, {Pictures: 3}, {Pictures: 3}, {Pictures: 3, Removed: 1}} {
		run := f.waitFor(t, jobID(t, f.start(t, map[string]any{"kind": "backup", "deep": true})))
		var got backup.Summary
		must(t, json.Unmarshal(run.Result, &got))
		if want.Snapshot = got.Snapshot; run.State != catalog.Succeeded || got.Snapshot == "" || got != want || run.Done != 3 || run.Total != 3 {
			t.Errorf("backup %d: got %+v: %s, want %+v", n+1, run, run.Error, want)
		}
		if strings.Contains(string(run.Result), f.backups) {
			t.Errorf("it tells where on the machine the backups are: %s", run.Result)
		}
	}
	list, err := backup.List(f.backups)
	if err != nil || len(list) != 3 {
		t.Errorf("got %d backups and %v, want the 3 that stay", len(list), err)
	}
}

// A job of another process is asked to stop by the API.
func TestAJobIsCancelled(t *testing.T) {
	f := newFixture(t)
	working := make(chan int64)
	ended := make(chan error)
	go func() {
		_, err := job.Do(t.Context(), f.catalog, job.Import, "", func(ctx context.Context, j *job.Job) (struct{}, error) {
			working <- j.Run.ID
			<-ctx.Done()
			return struct{}{}, ctx.Err()
		})
		ended <- err
	}()
	path := fmt.Sprintf("/v1/jobs/%d", <-working)
	if a := f.do(t, "DELETE", path, ""); a.status != http.StatusAccepted || a.field(t, "cancelling") != true {
		t.Errorf("got status %d: %s", a.status, a.body)
	}
	if err := <-ended; err == nil {
		t.Error("it went on")
	}
	if a := f.do(t, "GET", path, ""); a.field(t, "state") != "cancelled" || a.field(t, "cancelling") != nil {
		t.Errorf("got %s", a.body)
	}
	if a := f.do(t, "DELETE", path, ""); a.status != http.StatusConflict {
		t.Errorf("again: got status %d, want 409: %s", a.status, a.body)
	}
	if a := f.do(t, "DELETE", "/v1/jobs/999", ""); a.status != http.StatusNotFound {
		t.Errorf("no such job: got status %d, want 404: %s", a.status, a.body)
	}
}

// events reads a stream until enough says so, and gives what it told: jobs state
// by state as "id state done", the rest as "images count" and "taste profile", and
// the last event's id.
func (f *fixture) events(t *testing.T, last string, begun func(), enough func(state string) bool) (told []string, at string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, "GET", f.url+"/v1/events", nil)
	must(t, err)
	request.Header.Set("Accept-Encoding", "gzip")
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" || response.Header.Get("Content-Encoding") != "" || response.StatusCode != 200 {
		t.Fatalf("got status %d, %s and encoding %q", response.StatusCode, kind, response.Header.Get("Content-Encoding"))
	}
	if begun != nil {
		begun()
	}
	var kind string
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if event, is := strings.CutPrefix(lines.Text(), "event: "); is {
			kind = event
		}
		if id, is := strings.CutPrefix(lines.Text(), "id: "); is {
			at = id
		}
		if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
			var stands struct {
				ID, Done, Count int64
				State, Profile  string
			}
			must(t, json.Unmarshal([]byte(data), &stands))
			switch kind {
			case "job":
				told = append(told, fmt.Sprint(stands.ID, " ", stands.State, " ", stands.Done))
			case "images":
				told = append(told, fmt.Sprint("images ", stands.Count))
			default:
				told = append(told, kind+" "+stands.Profile)
			}
			if enough(told[len(told)-1]) {
				return told, at
			}
		}
	}
	t.Fatalf("the stream ended after %v", told)
	return nil, ""
}

func TestJobsAreFollowed(t *testing.T) {
	f := newFixture(t)
	before, err := job.Begin(t.Context(), f.catalog, job.Import, "")
	must(t, err)
	told, at := f.events(t, "", func() { before.Progress(t.Context(), 3, 9) }, func(state string) bool { return state == "1 running 3" })
	if told[0] != "1 running 0" && told[0] != "1 running 3" {
		t.Errorf("a job that runs already: got %v", told)
	}
	// What happens while nobody follows is told afterwards, each job once.
	after, err := job.Begin(t.Context(), f.catalog, job.Crawl, "")
	must(t, err)
	after.Progress(t.Context(), 1, 0)
	must(t, before.End(t.Context(), catalog.Succeeded, map[string]int{"kept": 9}, nil))
	told, at = f.events(t, at, nil, func(state string) bool { return strings.HasPrefix(state, "1 succeeded") })
	if len(told) > 2 {
		t.Errorf("got %v, want each job once", told)
	}
	// A number that this catalog has not given: all that runs is told anew.
	told, _ = f.events(t, "999999", nil, func(string) bool { return true })
	if told[0] != "2 running 1" {
		t.Errorf("after another catalog's number: got %v at %s", told, at)
	}
	must(t, after.End(t.Context(), catalog.Cancelled, nil, nil))
	// Who comes again after the server was killed is told that its jobs have ended.
	f.dead(t, job.Embed, nil)
	last, err := f.catalog.LastChange(t.Context())
	must(t, err)
	if told, _ = f.events(t, fmt.Sprint(last), nil, func(string) bool { return true }); told[0] != "3 failed 1" {
		t.Errorf("a job whose process was killed: got %v", told)
	}
}

// A stream tells of images, each once for all that happened to it meanwhile, and of
// the tastes of the caller's profiles, and goes on where another ended, also one
// on which nothing had happened.
func TestImagesAndTastesAreFollowed(t *testing.T) {
	f := newFixture(t)
	begun := func() { f.add(t, 1, red, "Roth") }
	counted := 0
	_, at := f.events(t, "", begun, func(state string) bool { // brought, and then embedded: one event or two
		var n int
		_, err := fmt.Sscanf(state, "images %d", &n)
		must(t, err)
		counted += n
		return counted > 0
	})
	first, err := strconv.ParseInt(at, 10, 64)
	must(t, err)
	reds, blues := f.add(t, 12, red, "Roth"), f.add(t, 12, blue, "Blau")
	f.rate(t, palate.Like, reds...)
	f.rate(t, palate.Dislike, blues...)
	f.learn(t)
	told, at := f.events(t, fmt.Sprint(first), nil, func(state string) bool { return strings.Contains(state, "succeeded") })
	if told[0] != "images 24" && told[0] != "images 25" || !slices.Contains(told, "taste me") || len(told) != 3 {
		t.Errorf("after what was learned of 24 images: got %v at %s, want the images, the taste and the job once", told, at)
	}
	if told, _ = f.events(t, fmt.Sprint(at), begun, func(string) bool { return true }); told[0] != "images 1" {
		t.Errorf("after all of that: got %v, want the one image", told)
	}
}

// A stream lasts as long as the server, and does not keep it from ending.
func TestAStreamEndsWithTheServer(t *testing.T) {
	f := newFixture(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.server.Run(ctx, listener) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/v1/events")
	must(t, err)
	defer response.Body.Close()
	begun := time.Now()
	stop()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Errorf("the stream broke off: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("the server took %v to end, as long as it waits for requests", took)
	}
}
