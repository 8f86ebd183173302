package hub_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/hub"
)

func TestAFileComesIntoTheHubsCache(t *testing.T) {
	content := randomBytes(300_000)
	for _, tc := range []struct {
		name   string
		change func(*site, *hub.Config, *hub.File)
	}{
		{"from the store", func(*site, *hub.Config, *hub.File) {}},
		{"from the hub itself", func(s *site, _ *hub.Config, _ *hub.File) { s.set(func(b *behaviour) { b.inline = true }) }},
		{"by the announced hash", func(_ *site, _ *hub.Config, f *hub.File) { f.SHA256, f.Size = "", 0 }},
		{"by the pinned hash", func(s *site, _ *hub.Config, _ *hub.File) { s.set(func(b *behaviour) { b.etag = "-" }) }},
		{"of a branch", func(_ *site, _ *hub.Config, f *hub.File) { f.Revision = "main" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, content)
			c, f := config(t, s), pinned(content)
			tc.change(s, &c, &f)
			var reached atomic.Int64
			c.Progress = func(_ string, done, total int64) {
				if total != int64(len(content)) || done < reached.Load() {
					t.Errorf("got progress %d of %d after %d", done, total, reached.Load())
				}
				reached.Store(done)
			}
			client := open(t, c)
			if _, err := client.Find(f); !errors.Is(err, palate.ErrNotFound) {
				t.Errorf("got %v before it came, want ErrNotFound", err)
			}
			local, err := client.Fetch(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			mustHave(t, c, local, content)
			if reached.Load() != int64(len(content)) {
				t.Errorf("progress ended at %d of %d", reached.Load(), len(content))
			}
			// From now on nobody is asked.
			before := s.count()
			again, err := client.Fetch(t.Context(), f)
			if err != nil || again != local || s.count() != before {
				t.Errorf("got %+v, %v and %d more requests, want %+v from the cache", again, err, s.count()-before, local)
			}
			if verified, err := client.Verify(t.Context(), f); err != nil || verified.SHA256 != sumOf(content) {
				t.Errorf("verify: got %+v, %v", verified, err)
			}
			for _, r := range s.requests {
				if r.encoding != "identity" {
					t.Errorf("%s %s: got Accept-Encoding %q, want identity", r.method, r.path, r.encoding)
				}
			}
		})
	}
}

func TestARenamedRepositoryIsFollowed(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	const former = "org/former"
	s.set(func(b *behaviour) { b.moved = former })
	c, f := config(t, s), pinned(content)
	f.Repository = former
	local, err := open(t, c).Fetch(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(local.Path); err != nil || sumOf(got) != sumOf(content) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestTheTokenGoesToTheHubAlone(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	c := config(t, s)
	c.Token = "hf_secret"
	if _, err := open(t, c).Fetch(t.Context(), pinned(content)); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.requests {
		want := ""
		if r.server == "hub" {
			want = "Bearer hf_secret"
		}
		if r.authorization != want {
			t.Errorf("%s %s at the %s: got Authorization %q, want %q", r.method, r.path, r.server, r.authorization, want)
		}
	}
	if len(s.gets()) != 1 {
		t.Errorf("got %d requests for bytes, want 1", len(s.gets()))
	}
}

// A hub may answer GET with a redirect where HEAD had none.
func TestTheTokenIsDroppedWhenAGetIsRedirected(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	s.set(func(b *behaviour) { b.inline = true })
	s.set(func(b *behaviour) {
		b.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || r.Host != strings.TrimPrefix(s.hub.URL, "http://") {
				return false
			}
			w.Header().Set("Location", s.store.URL+"/blob")
			w.WriteHeader(http.StatusFound)
			return true
		}
	})
	c := config(t, s)
	c.Token = "hf_secret"
	if _, err := open(t, c).Fetch(t.Context(), pinned(content)); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(s.requests, func(r seen) bool { return r.server == "store" })
	if i < 0 || s.requests[i].authorization != "" {
		t.Errorf("got requests %+v, want one at the store without a token", s.requests)
	}
}

func TestACutDownloadGoesOnUntilItIsWhole(t *testing.T) {
	content := randomBytes(1 << 20)
	s := newSite(t, content)
	s.set(func(b *behaviour) { b.cut = 1 << 17 })
	c := config(t, s)
	c.Attempts = 2 // it needs eight: every one that brings bytes counts anew
	local, err := open(t, c).Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
	gets := s.gets()
	if len(gets) < 8 || gets[0].rangeHeader != "" {
		t.Fatalf("got %d requests for bytes, the first with range %q; want 8 without", len(gets), gets[0].rangeHeader)
	}
	for _, r := range gets[1:] {
		if r.rangeHeader == "" {
			t.Errorf("got a request that begins again, want every one to go on")
		}
	}
}

func TestAServerThatCantGoOnSendsAllAgain(t *testing.T) {
	content := randomBytes(200_000)
	s := newSite(t, content)
	c := config(t, s)
	leavePartial(t, c, content, content[:70_000])
	s.set(func(b *behaviour) { b.noRange = true })
	local, err := open(t, c).Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
	if gets := s.gets(); len(gets) != 1 || gets[0].rangeHeader != "bytes=70000-" {
		t.Errorf("got %+v, want one request from byte 70000 on", gets)
	}
}

func TestAServerThatNeverComesFurtherIsGivenUp(t *testing.T) {
	content := randomBytes(200_000)
	s := newSite(t, content)
	s.set(func(b *behaviour) { b.noRange, b.cut = true, 50_000 })
	c := config(t, s)
	_, err := open(t, c).Fetch(t.Context(), pinned(content))
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "tried 5 times") {
		t.Errorf("got %v, want it given up", err)
	}
	if got := len(s.gets()); got != 5 {
		t.Errorf("asked %d times for bytes, want 5", got)
	}
}

func TestAWrongBeginningIsDownloadedAgain(t *testing.T) {
	content := randomBytes(200_000)
	for name, partial := range map[string][]byte{
		"other bytes":  make([]byte, 70_000),
		"all of them":  make([]byte, len(content)),
		"too many":     make([]byte, len(content)+5),
		"half is good": append(slices.Clone(content[:50_000]), 1, 2, 3),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, content)
			c := config(t, s)
			leavePartial(t, c, content, partial)
			local, err := open(t, c).Fetch(t.Context(), pinned(content))
			if err != nil {
				t.Fatal(err)
			}
			mustHave(t, c, local, content)
		})
	}
}

// leavePartial puts what a killed process would have left.
func leavePartial(t *testing.T, c hub.Config, content, partial []byte) {
	t.Helper()
	name := filepath.Join(c.CacheDir, "models--org--vit_tiny.art", "blobs", sumOf(content)+".incomplete")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, partial, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWrongBytesAreRefusedAndRemoved(t *testing.T) {
	content := randomBytes(100_000)
	other := slices.Clone(content)
	other[50_000] ^= 1
	for _, tc := range []struct {
		name, want string
		change     func(*behaviour, *hub.File)
	}{
		{"a flipped bit", "the download has SHA-256", func(b *behaviour, _ *hub.File) { b.content = other }},
		{"a flipped bit, announced by the hub", "the download has SHA-256", func(b *behaviour, f *hub.File) { b.content, f.SHA256 = other, "" }},
		{"another file than is pinned", "the hub announces SHA-256", func(_ *behaviour, f *hub.File) { f.SHA256 = sumOf(other) }},
		{"another size than is pinned", "the hub announces 100000 bytes", func(_ *behaviour, f *hub.File) { f.Size = 99_999 }},
		{"no hash at all", "tells no SHA-256", func(b *behaviour, f *hub.File) { b.etag, f.SHA256 = "-", "" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, content)
			c, f := config(t, s), pinned(content)
			s.set(func(b *behaviour) { tc.change(b, &f) })
			_, err := open(t, c).Fetch(t.Context(), f)
			if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want ErrUnavailable with %q", err, tc.want)
			}
			mustHaveNothingUnfinished(t, c)
			if kept, _ := filepath.Glob(filepath.Join(c.CacheDir, "models--*", "*", "*")); len(kept) > 0 {
				t.Errorf("kept %v", kept)
			}
		})
	}
}

func TestMoreBytesThanAnnouncedAreRefused(t *testing.T) {
	content := randomBytes(100_000)
	s := newSite(t, content)
	s.set(func(b *behaviour) {
		b.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			for range 40 { // chunked: no Content-Length
				_, _ = w.Write(content)
				_ = http.NewResponseController(w).Flush()
			}
			return true
		}
	})
	c := config(t, s)
	_, err := open(t, c).Fetch(t.Context(), pinned(content))
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "more than the 100000 bytes") {
		t.Errorf("got %v", err)
	}
	info, err := os.Stat(filepath.Join(c.CacheDir, "models--org--vit_tiny.art", "blobs", sumOf(content)+".incomplete"))
	if err != nil || info.Size() != 0 {
		t.Errorf("got %v, %v; want nothing of it kept", info, err)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	content := randomBytes(100)
	answer := func(status int, headers ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Set(headers[i], headers[i+1])
			}
			w.WriteHeader(status)
			return true
		}
	}
	for _, tc := range []struct {
		name   string
		change func(*behaviour, *hub.Config, *hub.File)
		kind   error
		want   []string
	}{
		{"gated", func(b *behaviour, _ *hub.Config, _ *hub.File) {
			b.refuse = answer(http.StatusForbidden, "X-Error-Code", "GatedRepo", "X-Error-Message", "Access to model is restricted")
		}, palate.ErrUnavailable, []string{"licence", "/" + repository, "HF_TOKEN", "Access to model is restricted"}},
		{"gated, nobody known", func(b *behaviour, _ *hub.Config, _ *hub.File) {
			b.refuse = answer(http.StatusUnauthorized, "X-Error-Code", "GatedRepo")
		}, palate.ErrUnavailable, []string{"licence", "HF_TOKEN"}},
		{"private", func(_ *behaviour, _ *hub.Config, f *hub.File) { f.Repository = "org/other" },
			palate.ErrUnavailable, []string{"no public repository org/other", "HF_TOKEN"}},
		{"a wrong token", func(b *behaviour, c *hub.Config, _ *hub.File) {
			b.refuse, c.Token = answer(http.StatusUnauthorized), "hf_wrong"
		}, palate.ErrUnavailable, []string{"refuses the token"}},
		{"forbidden", func(b *behaviour, _ *hub.Config, _ *hub.File) { b.refuse = answer(http.StatusForbidden) },
			palate.ErrUnavailable, []string{"forbids", "HF_TOKEN"}},
		{"no such revision", func(_ *behaviour, _ *hub.Config, f *hub.File) { f.Revision = strings.Repeat("f", 40) },
			palate.ErrNotFound, []string{"no revision fff"}},
		{"no such file", func(_ *behaviour, _ *hub.Config, f *hub.File) { f.Path = "pytorch_model.bin" },
			palate.ErrNotFound, []string{"no file pytorch_model.bin", "Entry not found"}},
		{"no such thing", func(b *behaviour, _ *hub.Config, _ *hub.File) { b.refuse = answer(http.StatusNotFound) },
			palate.ErrNotFound, []string{repository}},
		{"no hub at all", func(b *behaviour, _ *hub.Config, f *hub.File) { b.refuse, f.Revision = answer(http.StatusOK), "main" },
			palate.ErrUnavailable, []string{"X-Repo-Commit"}},
		{"another commit", func(b *behaviour, _ *hub.Config, _ *hub.File) {
			b.refuse = answer(http.StatusOK, "X-Repo-Commit", strings.Repeat("a", 40))
		}, palate.ErrUnavailable, []string{"asked for commit"}},
		{"a redirect to a file", func(b *behaviour, _ *hub.Config, _ *hub.File) {
			b.refuse = answer(http.StatusFound, "Location", "file:///etc/passwd", "X-Repo-Commit", commit)
		}, palate.ErrUnavailable, []string{"redirects"}},
		{"redirects without end", func(b *behaviour, _ *hub.Config, _ *hub.File) {
			b.refuse = answer(http.StatusFound, "Location", "/again")
		},
			palate.ErrUnavailable, []string{"too many redirects"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, content)
			c, f := config(t, s), pinned(content)
			s.set(func(b *behaviour) { tc.change(b, &c, &f) })
			_, err := open(t, c).Fetch(t.Context(), f)
			if !errors.Is(err, tc.kind) {
				t.Fatalf("got %v, want %v", err, tc.kind)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hf_wrong") {
				t.Errorf("got %q, want one line without the token", err)
			}
		})
	}
}

func TestTroubleThatPassesIsTriedAgain(t *testing.T) {
	content := randomBytes(1000)
	for _, tc := range []struct {
		name     string
		statuses []int
		after    string
		want     []time.Duration
	}{
		{"the hub is busy", []int{503, 500, 408}, "", []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
		{"it says when", []int{429}, "17", []time.Duration{17 * time.Second}},
		{"it says when, by a date", []int{429}, "date", []time.Duration{40 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, content)
			var asked atomic.Int64
			s.set(func(b *behaviour) {
				b.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
					n := int(asked.Add(1)) - 1
					if n >= len(tc.statuses) {
						return false
					}
					switch tc.after {
					case "date":
						now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
						w.Header().Set("Date", now.Format(http.TimeFormat))
						w.Header().Set("Retry-After", now.Add(40*time.Second).Format(http.TimeFormat))
					default:
						w.Header().Set("Retry-After", tc.after)
					}
					w.WriteHeader(tc.statuses[n])
					return true
				}
			})
			c, waited := config(t, s), new(waits)
			c.Wait = waited.wait
			local, err := open(t, c).Fetch(t.Context(), pinned(content))
			if err != nil {
				t.Fatal(err)
			}
			mustHave(t, c, local, content)
			if !slices.Equal(waited.pauses, tc.want) {
				t.Errorf("waited %v, want %v", waited.pauses, tc.want)
			}
		})
	}
}

func TestTroubleThatStaysIsToldInTime(t *testing.T) {
	content := randomBytes(1000)
	for _, tc := range []struct {
		name, after, want string
		status, asked     int
	}{
		{"busy all the time", "", "(tried 5 times)", 503, 5},
		{"come again tomorrow", "86400", "24h0m0s", 429, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, content)
			s.set(func(b *behaviour) {
				b.refuse = func(w http.ResponseWriter, _ *http.Request) bool {
					w.Header().Set("Retry-After", tc.after)
					w.WriteHeader(tc.status)
					return true
				}
			})
			_, err := open(t, config(t, s)).Fetch(t.Context(), pinned(content))
			if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), tc.want) || s.count() != tc.asked {
				t.Errorf("got %v after %d requests, want %q after %d", err, s.count(), tc.want, tc.asked)
			}
		})
	}
}

// The store's addresses are signed for a while; a new one is asked for.
func TestAnAddressThatRanOutIsAskedForAnew(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	var refused atomic.Bool
	s.set(func(b *behaviour) {
		b.refuse = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || refused.Swap(true) {
				return false
			}
			w.WriteHeader(http.StatusForbidden)
			return true
		}
	})
	c := config(t, s)
	local, err := open(t, c).Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
	if got := s.count(); got != 4 {
		t.Errorf("got %d requests, want HEAD, GET, HEAD, GET", got)
	}
}

func TestAStalledDownloadIsBrokenOff(t *testing.T) {
	content := randomBytes(100_000)
	s := newSite(t, content)
	s.hold(1000)
	c := config(t, s)
	c.StallTimeout, c.Attempts = 50*time.Millisecond, 1
	_, err := open(t, c).Fetch(t.Context(), pinned(content))
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "no byte came") {
		t.Errorf("got %v", err)
	}
}

func TestCancellingEndsADownloadAndKeepsWhatCame(t *testing.T) {
	content := randomBytes(100_000)
	s := newSite(t, content)
	begun := s.hold(60_000)
	c := config(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	if _, err := open(t, c).Fetch(ctx, pinned(content)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want Canceled", err)
	}
	s.set(func(b *behaviour) { b.cut = 0 })
	local, err := open(t, c).Fetch(t.Context(), pinned(content))
	if err != nil {
		t.Fatal(err)
	}
	mustHave(t, c, local, content)
}

func TestOfflineAsksNobody(t *testing.T) {
	content := randomBytes(1000)
	s := newSite(t, content)
	c := config(t, s)
	c.Offline = true
	client := open(t, c)
	_, err := client.Fetch(t.Context(), pinned(content))
	if !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") || !strings.Contains(err.Error(), c.CacheDir) {
		t.Errorf("got %v", err)
	}
	if _, err := client.Stat(t.Context(), pinned(content)); !errors.Is(err, palate.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	if s.count() != 0 {
		t.Errorf("asked %d times", s.count())
	}
}

func TestAHubThatIsNotThereIsToldAtOnce(t *testing.T) {
	content := randomBytes(10)
	s := newSite(t, content)
	c := config(t, s)
	s.hub.Close()
	if _, err := open(t, c).Stat(t.Context(), pinned(content)); !errors.Is(err, palate.ErrUnavailable) || !strings.Contains(err.Error(), "can't be reached") {
		t.Errorf("got %v", err)
	}
}
