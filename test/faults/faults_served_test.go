//go:build linux

package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/test/program"
	"github.com/palate-art/palate/test/race"
)

// A server on all addresses keeps its guards, says what it means once, and
// names an address that a browser opens.
func TestFaultOpenToTheNetwork(t *testing.T) {
	race.Long(t)
	t.Parallel()
	args := []string{"--addr", "0.0.0.0:0", "--data", t.TempDir(), "--no-embed"}
	if program.FaultsBinary == "" { // former ones knew nothing else
		args = append(args, "--insecure")
	}
	s := startFaultyServer(t, args...)
	at, err := url.Parse(s.URL)
	if err != nil || at.Hostname() == "0.0.0.0" || at.Hostname() == "::" {
		t.Errorf("announced %s (%v), want an address that a browser can open", s.URL, err)
	}
	s.URL = "http://127.0.0.1:" + at.Port()
	if got := s.Knock("GET", "/v1/images", "Host", "localhost:"+at.Port()); got != http.StatusOK {
		t.Errorf("Host localhost: got %d, want 200", got)
	}
	if got := s.Knock("GET", "/v1/images", "Host", "evil.example:"+at.Port()); got != http.StatusMisdirectedRequest {
		t.Errorf("Host evil.example: got %d, want 421", got)
	}
	if got := s.Knock("POST", "/v1/profiles/me/probe", "Host", "evil.example:"+at.Port(), "Origin", "http://evil.example:"+at.Port()); got < 400 || got == http.StatusConflict {
		t.Errorf("a page of evil.example: got %d, want to be refused", got)
	}
	if n := strings.Count(s.ErrOut.String(), "level=WARN"); n != 1 || !strings.Contains(s.ErrOut.String(), "delete") {
		t.Errorf("got %d warnings, want one that says what anybody may do: %s", n, s.ErrOut.String())
	}
}

// A key in an address that is spelt wrongly is in no output.
func TestFaultTheKeyOfAMisspeltIndex(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := t.TempDir()
	for _, address := range []string{"qdrnt://k3y@host/art", "https://host:6333/?api-key=k3y", "qdrant:k3y@host", "qdrant://k3y@host:port/art", "qdrant://k3y@host", "k3y"} {
		for _, command := range []string{"scores", "doctor"} {
			r := program.StartFaulty(t, command, "--index="+address, "--data", folder).Wait()
			if r.Code == program.ExitDone || strings.Contains(r.Out+r.Err, "k3y") {
				t.Errorf("%s --index=%s: got %d and %q, want an error without the key", command, address, r.Code, r.Out+r.Err)
			}
		}
	}
}

// A server that works without its index is not one to restart.
func TestFaultTheIndexIsAway(t *testing.T) {
	race.Long(t)
	t.Parallel()
	s := startFaultyServer(t, "--index", "qdrant://127.0.0.1:1/art", "--data", oldCollection(t), "--no-embed")
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/v1/health": http.StatusServiceUnavailable, "/v1/images": http.StatusOK} {
		if got := s.Knock("GET", path); got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
		}
	}
	if r := program.StartFaulty(t, "health", "--addr", strings.TrimPrefix(s.URL, "http://")).Wait(); r.Code != program.ExitDone {
		t.Errorf("palate health: got %d and %q, want that it lives", r.Code, r.Err)
	}
}

// What is said of a picture is text within bounds, and its addresses are of
// the web, whichever way it comes in.
func TestFaultWhatIsSaidOfAPicture(t *testing.T) {
	race.Long(t)
	t.Parallel()
	long := strings.Repeat("long ", 2000)
	bad := map[string]string{"licence_url": "javascript:alert(document.cookie)", "page": "data:text/html,<script>1</script>", "year": "999999999", "title": long}
	s := startFaultyServer(t, "--data", t.TempDir(), "--no-embed")
	i := 0
	for field, value := range bad {
		i++
		status, answer := s.UploadWith(flatPNG(30+i, 30, 1), field, value)
		if status != http.StatusBadRequest || !strings.Contains(answer, field) {
			t.Errorf("uploaded with the %s %.40s: got %d %s, want 400 that names it", field, value, status, answer)
		}
	}
	if status, answer := s.UploadWith(flatPNG(29, 30, 1), "title", "Nachtwache"); status != http.StatusCreated {
		t.Errorf("with a title: got %d %s, want 201", status, answer)
	}

	// Beside the files of a folder.
	folder := t.TempDir()
	for field, row := range map[string]string{"licence_url": ",1900,,javascript:alert(1)", "page": ",1900,data:text/html;x,", "year": ",999999999,,", "title": long + ",1900,,", "": "Nachtwache,1642,https://museum.example/1,https://creativecommons.org/publicdomain/zero/1.0/"} {
		i++
		pictures := t.TempDir()
		program.WriteFile(t, filepath.Join(pictures, "a.png"), flatPNG(30+i, 30, 1))
		program.WriteFile(t, filepath.Join(pictures, "metadata.csv"), []byte("file,title,year,source,licence_url\na.png,"+row+"\n"))
		if r := program.StartFaulty(t, "import", pictures, "--data", folder).Wait(); (r.Code == program.ExitDone) != (field == "") || !strings.Contains(r.Err+r.Out, field) {
			t.Errorf("imported with a bad %s: got %d and %.300q", field, r.Code, r.Err)
		}
	}

	// On a gallery's pages, as a museum gives it.
	crawled := t.TempDir()
	site := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, ".png"):
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(flatPNG(700, 701, 40))
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, `<!doctype html><title>x</title><script type="application/ld+json">{"@context":"https://schema.org","@type":"VisualArtwork","name":%q,"dateCreated":"999999999",
				"image":{"@type":"ImageObject","contentUrl":"/a.png","license":"javascript:alert(1)","acquireLicensePage":"javascript:alert(2)"}}</script><a href="/a.png"><img src="/a.png" width=700 height=701 alt="x"></a>`, long)
		}
	})
	program.StartFaulty(t, "crawl", "--museum", site, "--data", crawled, "--max-pages", "3").Wait()

	for name, folder := range map[string]string{"imported": folder, "crawled": crawled} {
		served := startFaultyServer(t, "--data", folder, "--no-embed")
		list := program.Get[json.RawMessage](served, "/v1/images", url.Values{"limit": {"100"}})
		if name == "imported" && !strings.Contains(string(list), "Nachtwache") {
			t.Errorf("%s: the good one is not there", name)
		}
		if found := unsafeInAnswer.FindString(string(list)); found != "" || len(list) > 20_000 {
			t.Errorf("%s: the API tells %q in %d bytes", name, found, len(list))
		}
	}
}

var unsafeInAnswer = regexp.MustCompile(`javascript:[^"]*|data:text[^"]*|"year":\s*999999999`)

// startSite serves on loopback and gives HOST:PORT.
func startSite(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { _ = server.Serve(listener); close(done) }()
	t.Cleanup(func() { _ = server.Shutdown(context.WithoutCancel(t.Context())); <-done })
	return listener.Addr().String()
}

// A full disk ends no server, is told by it, and is freed by deleting. Run on
// a small disk of its own, which takes the right to mount one.
func TestFaultServedOnAFullDisk(t *testing.T) {
	race.Long(t)
	t.Parallel()
	folder := smallDisk(t, 40<<20)
	pictures := t.TempDir()
	for i := range 4 {
		program.WriteFile(t, filepath.Join(pictures, fmt.Sprint(i, ".png")), program.Noise(t, 700, 700+i))
	}
	program.StartFaulty(t, "import", pictures, "--data", folder).MustEnd()
	running := startFaultyServer(t, "--data", folder, "--no-embed")
	ids := running.Images(url.Values{})
	if len(ids) != 4 || running.Knock("GET", "/v1/health") != http.StatusOK {
		t.Fatalf("got the images %v before the disk is full", ids)
	}
	fill(t, filepath.Join(folder, "full"))
	program.Eventually(t, "the server says that it can't write", func() bool { return running.Knock("GET", "/v1/health") == http.StatusServiceUnavailable })
	for path, want := range map[string]int{"/v1/images": 200, "/v1/images/" + ids[0] + "/file": 200, "/v1/images/" + ids[0] + "/thumbnail": 200, "/healthz": 200} {
		if got := running.Knock("GET", path); got != want {
			t.Errorf("full: GET %s: got %d, want %d", path, got, want)
		}
	}
	running.Interrupt()

	s := startFaultyServer(t, "--data", folder, "--no-embed") // one that is started on it
	if got := len(s.Images(url.Values{})); got != 4 {
		t.Errorf("started on a full disk: got %d images, want 4", got)
	}
	s.Interrupt()
	program.StartFaulty(t, "images", "delete", ids[0], "--data", folder).MustEnd()
	program.StartFaulty(t, "trash", "empty", "--yes", "--data", folder).MustEnd()
	if _, there := pictureFiles(t, folder)[ids[0]]; there {
		t.Error("the emptied trash freed nothing")
	}
	if err := os.Remove(filepath.Join(folder, "full")); err != nil {
		t.Fatal(err)
	}
	seen := program.LookInto(t, folder)
	seen.MustHaveFileOfEveryRow(t)
	seen.MustHaveRowOfEveryFile(t)
	if len(seen.Images) != 3 {
		t.Errorf("got %d images, want 3", len(seen.Images))
	}
}
