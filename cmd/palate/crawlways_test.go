package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/collection"
	"github.com/palate-art/palate/test/program"
)

// drawing is a picture of its own colours.
func drawing(t *testing.T, number, side int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(40 * number), G: uint8(x + 17*number), B: uint8(y), A: 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// undecodable is a picture whose structure is whole and whose pixels are not.
func undecodable(t *testing.T) []byte {
	content := drawing(t, 3, 260)
	at := bytes.Index(content, []byte("IDAT"))
	length := int(binary.BigEndian.Uint32(content[at-4:]))
	content[at+4+2] = 7 // after zlib's header of two bytes: a kind of block that there is not
	binary.BigEndian.PutUint32(content[at+4+length:], crc32.ChecksumIEEE(content[at:at+4+length]))
	return content
}

// gallerySite serves n pictures on one page, on loopback.
func gallerySite(t *testing.T, n int, further map[string][]byte) *httptest.Server {
	t.Helper()
	pages := map[string][]byte{}
	var list strings.Builder
	for i := range n {
		path := fmt.Sprintf("/i/%d.png", i)
		pages[path] = drawing(t, i, 256)
		fmt.Fprintf(&list, `<img src="%s" alt="Work %d">`, path, i)
	}
	for path, content := range further {
		pages[path] = content
		fmt.Fprintf(&list, `<img src="%s">`, path)
	}
	pages["/"] = []byte("<!doctype html><h1>Gallery</h1>" + list.String())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(s.Close)
	return s
}

func at(home string, args ...string) []string { return append(args, "--data", home) }

// own is what a crawl of a site on this machine needs.
func own(home string, args ...string) []string {
	return at(home, append([]string{"crawl"}, append(args, "--contact", "me@example.org", "--delay", "0s")...)...)
}

// A picture that fetching could not tell from a good one is named with its
// source once it could not be decoded for embedding; until then the report
// says that nothing was decoded.
func TestWhatCanNotBeDecodedIsInTheCrawlsReport(t *testing.T) {
	site, home := gallerySite(t, 2, map[string][]byte{"/i/broken.png": undecodable(t)}), filepath.Join(t.TempDir(), "data")
	if report := program.JSONRun[crawler.Report](t, own(home, site.URL+"/", "--name", "g")...); report.Kept != 3 {
		t.Fatalf("kept %d, want 3 that look whole: %v", report.Kept, report.Examples)
	}
	if text := program.MustRun(t, at(home, "crawl", "report", "g")...); !strings.Contains(text, "not decoded yet") {
		t.Errorf("before embedding the report says:\n%s", text)
	}
	program.RunPalate(t, at(home, "embed", "--model", "baseline")...)
	report := program.JSONRun[collection.CrawlReport](t, at(home, "crawl", "report", "g")...)
	found := false
	for _, l := range report.Losses {
		found = found || l.Reason == "unreadable" && l.URL == site.URL+"/i/broken.png" && l.Detail != ""
	}
	if !found || report.Embedded != 2 {
		t.Errorf("after embedding %d are embedded and the losses are %+v, want 2 and the broken one", report.Embedded, report.Losses)
	}
}

// With more workers than places, a round takes exactly as many pictures as it
// may: those that are known are among them.
func TestMaxPicturesIsExact(t *testing.T) {
	site, home := gallerySite(t, 9, nil), filepath.Join(t.TempDir(), "data")
	for _, most := range []int{4, 4, 7, 2} {
		report := program.JSONRun[crawler.Report](t, own(home, site.URL+"/", "--name", "g", "--parallel", "8", "--max-pictures", fmt.Sprint(most))...)
		if report.Kept+report.Known != most || report.Lost["picture_limit"] != 9-most {
			t.Errorf("with at most %d: kept %d and known %d, left %v", most, report.Kept, report.Known, report.Lost)
		}
	}
}

// Every request goes through the proxy.
func TestACrawlGoesThroughItsProxy(t *testing.T) {
	site := gallerySite(t, 3, nil)
	var asked, strange atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if !r.URL.IsAbs() || r.URL.Host != "gallery.example" {
			strange.Add(1)
		}
		resp, err := http.Get(site.URL + r.URL.RequestURI())
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(proxy.Close)
	report := program.JSONRun[crawler.Report](t, "crawl", "http://gallery.example/", "--contact", "me@example.org", "--delay", "100ms", "--proxy", proxy.URL, "--data", filepath.Join(t.TempDir(), "data"))
	if report.Kept != 3 || asked.Load() != 5 || strange.Load() != 0 { // robots.txt, the page, three pictures
		t.Errorf("kept %d with %d requests by the proxy, %d of them not for the site: %v", report.Kept, asked.Load(), strange.Load(), report.Examples)
	}
}

// A picture of 200 kB takes its time at 100 kB a second, the first of which
// may come at once.
func TestTheRateOfACrawlIsLimited(t *testing.T) {
	noise := make([]byte, 200_000)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	img := &image.Gray{Pix: noise, Stride: 500, Rect: image.Rect(0, 0, 500, 400)}
	var content bytes.Buffer
	if err := png.Encode(&content, img); err != nil {
		t.Fatal(err)
	}
	site, begun := gallerySite(t, 0, map[string][]byte{"/noise.png": content.Bytes()}), time.Now()
	report := program.JSONRun[crawler.Report](t, own(filepath.Join(t.TempDir(), "data"), site.URL+"/", "--limit-rate", "100k")...)
	if took := time.Since(begun); report.Kept != 1 || took < 800*time.Millisecond {
		t.Errorf("kept %d of %d bytes in %v at 100 kB a second", report.Kept, content.Len(), took)
	}
}

// What one site is given by --site holds for it alone.
func TestASiteHasAPaceOfItsOwn(t *testing.T) {
	site := gallerySite(t, 4, nil)
	host := strings.Split(strings.TrimPrefix(site.URL, "http://"), ":")[0]
	begun := time.Now()
	report := program.JSONRun[crawler.Report](t, own(filepath.Join(t.TempDir(), "data"), site.URL+"/", "--site", host+" delay=200ms parallel=1")...)
	if took := time.Since(begun); report.Kept != 4 || took < 900*time.Millisecond { // six requests, five pauses
		t.Errorf("kept %d in %v, want 4 in a second at least: %v", report.Kept, took, report.Examples)
	}
}

// Without a terminal a crawl says how far it is line by line.
func TestProgressIsSaidWithoutATerminal(t *testing.T) {
	site := gallerySite(t, 12, nil)
	r := program.StartProgram(t, "", nil, at(filepath.Join(t.TempDir(), "data"), "crawl", site.URL+"/", "--contact", "me@example.org", "--delay", "450ms", "--parallel", "1")...).Wait() // a line every five seconds
	lines := 0
	for line := range strings.Lines(r.Err) {
		if strings.HasPrefix(line, "crawl:") && strings.Contains(line, " of ") && !strings.Contains(line, "\r") {
			lines++
		}
	}
	if r.Code != exitDone || lines == 0 {
		t.Errorf("code %d and no line of progress:\n%s", r.Code, r.Err)
	}
}

// A list that was piped in can be piped in again to resume its crawl. Nothing
// waits for a terminal.
func TestAPipedListIsPipedInAgain(t *testing.T) {
	site, home := gallerySite(t, 3, nil), filepath.Join(t.TempDir(), "data")
	list := filepath.Join(t.TempDir(), "list.csv")
	text := "url,title\n" + site.URL + "/i/0.png,First\n" + site.URL + "/i/2.png,Third\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	piped := func(args ...string) program.Result {
		input, err := os.Open(list)
		if err != nil {
			t.Fatal(err)
		}
		defer input.Close()
		return program.Launch(t, input, "", nil, args...).Wait()
	}
	r := piped(own(home, "--input", "-", "--name", "list", "--json")...)
	if got := program.JSONValues[crawler.Report](t, r.Out); len(got) != 1 || got[0].Kept != 2 {
		t.Fatalf("code %d: %s%s", r.Code, r.Out, r.Err)
	}
	r = piped(at(home, "crawl", "resume", "list", "--json")...)
	if got := program.JSONValues[crawler.Report](t, r.Out); len(got) != 1 || got[0].Known != 2 || got[0].Kept != 0 {
		t.Errorf("resumed with code %d: %s%s", r.Code, r.Out, r.Err)
	}
	r = program.StartProgram(t, "", nil, at(home, "crawl", "resume", "list")...).Wait() // its input is the null device
	if r.Code != exitUsage || !strings.Contains(r.Err, "pipe the same list in again") {
		t.Errorf("without its list: code %d, %s", r.Code, r.Err)
	}
	r = program.RunPalate(t, at(home, "subscribe", "--input", "-", "--name", "s", "--every", "1h", "--contact", "me@example.org")...)
	if r.Code != exitUsage || !strings.Contains(r.Err, "standard input") {
		t.Errorf("subscribed to standard input: code %d, %s", r.Code, r.Err)
	}
}

// Parquet as other programs write it is read as a list, with what it says.
func TestAListMayBeParquet(t *testing.T) {
	settings := collection.CrawlSettings{Input: filepath.Join("..", "..", "internal", "features", "testdata", "addresses.parquet")}
	settings.Contact, settings.MaxDepth, settings.Retries = "me@example.org", -1, -1
	job, err := settings.Plan("test")
	if err != nil || len(job.Seeds) != 300 {
		t.Fatalf("%d seeds (%v), want 300", len(job.Seeds), err)
	}
	if s := job.Seeds[129]; s.URL != "https://pictures.example/129.jpg" || s.Known.Artist != "Anna Bell" || s.Known.LicenceURL != "https://creativecommons.org/licenses/by/4.0/" {
		t.Errorf("seed 129 is %+v of %+v", s, s.Known)
	}
	settings.Input = filepath.Join("..", "..", "internal", "features", "testdata", "columns.parquet")
	if _, err := settings.Plan("test"); err == nil || !strings.Contains(err.Error(), "no address in a column called url") {
		t.Errorf("a table without addresses: %v", err)
	}
}

// From nothing but the address of an IIIF manifest to neighbours.
func TestAManifestEndsInNeighbours(t *testing.T) {
	var base string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var number int
		if n, err := fmt.Sscanf(r.URL.Path, "/image/%d/", &number); err == nil && n == 1 {
			_, _ = w.Write(drawing(t, number, 256))
			return
		}
		if r.URL.Path != "/manifest.json" {
			http.NotFound(w, r)
			return
		}
		var canvases []string
		for i := range 4 {
			id := fmt.Sprintf("%s/image/%d", base, i)
			canvases = append(canvases, fmt.Sprintf(`{"id":"%s/canvas/%d","type":"Canvas","label":{"en":["Sheet %d"]},"width":256,"height":256,"items":[{"id":"%[1]s/p/%[2]d","type":"AnnotationPage","items":[
				{"id":"%[1]s/a/%[2]d","type":"Annotation","motivation":"painting","target":"%[1]s/canvas/%[2]d","body":{"id":"%[4]s/full/max/0/default.jpg","type":"Image","format":"image/jpeg","width":256,"height":256,
				"service":[{"id":"%[4]s","type":"ImageService3","profile":"level2"}]}}]}]}`, base, i, i, id))
		}
		w.Header().Set("Content-Type", "application/ld+json")
		_, _ = fmt.Fprintf(w, `{"@context":"http://iiif.io/api/presentation/3/context.json","id":"%s/manifest.json","type":"Manifest","label":{"en":["Sketchbook"]},"items":[%s]}`, base, strings.Join(canvases, ","))
	}))
	t.Cleanup(s.Close)
	base = s.URL
	home := filepath.Join(t.TempDir(), "data")
	if report := program.JSONRun[crawler.Report](t, own(home, base+"/manifest.json")...); report.Kept != 4 {
		t.Fatalf("kept %d of 4: %v %v", report.Kept, report.Lost, report.Examples)
	}
	program.MustRun(t, at(home, "embed", "--model", "baseline")...)
	query := filepath.Join(t.TempDir(), "query.png")
	if err := os.WriteFile(query, drawing(t, 1, 256), 0o600); err != nil {
		t.Fatal(err)
	}
	text := program.MustRun(t, at(home, "similar", query, "--model", "baseline")...)
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) < 5 || !strings.Contains(lines[1], "Sheet 1") {
		t.Errorf("the neighbours are:\n%s", text)
	}
}
