package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/tokens"
)

// again sends a request under a key.
func (f *fixture) again(t *testing.T, key, path, body string, headers ...string) answer {
	t.Helper()
	return f.do(t, "POST", path, body, append([]string{"Content-Type", "application/json", "Idempotency-Key", key}, headers...)...)
}

func TestARequestThatIsSentAgainIsDoneOnce(t *testing.T) {
	f := newFixture(t)
	ids := f.add(t, 3, red, "Roth")
	f.rate(t, palate.Like, ids...)
	likes := func() float64 {
		return f.do(t, "GET", "/v1/profiles/me/ratings?count=true", "").field(t, "total").(float64)
	}
	const undo = "/v1/profiles/me/undo"
	first := f.again(t, "a", undo, "{}")
	repeated := f.again(t, `"a"`, undo, "{ }") // as the draft writes it, and the body otherwise put
	if first.status != 200 || repeated.status != 200 || string(first.body) != string(repeated.body) || likes() != 2 {
		t.Fatalf("got %d %s, then %d %s: %v likes, want one undo", first.status, first.body, repeated.status, repeated.body, likes())
	}
	if first.header.Get("Idempotent-Replayed") != "" || repeated.header.Get("Idempotent-Replayed") != "true" || repeated.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("got the headers %v, then %v", first.header, repeated.header)
	}
	if got := f.again(t, "b", undo, "{}"); got.status != 200 || likes() != 1 {
		t.Errorf("under another key: got %d, %v likes", got.status, likes())
	}
	for what, got := range map[string]answer{
		"another body": f.again(t, "a", undo, `{"entry":1}`), "another profile": f.again(t, "a", "/v1/profiles/you/undo", "{}"),
		"another operation": f.again(t, "a", "/v1/profiles", `{"profile":"new"}`),
	} {
		if got.status != http.StatusUnprocessableEntity || got.field(t, "type") != "urn:palate:problem:key-reused" || likes() != 1 {
			t.Errorf("%s: got %d: %s", what, got.status, got.body)
		}
	}
	// What was refused has kept no key, whoever refused it.
	for _, bad := range []string{`{"profile":"No Name"}`, `{"profile":"me"}`} {
		if got := f.again(t, "c", "/v1/profiles", bad); got.status < 400 || got.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: got %d", bad, got.status)
		}
	}
	made := f.again(t, "c", "/v1/profiles", `{"profile":"new"}`)
	if again := f.again(t, "c", "/v1/profiles", `{"profile":"new"}`); made.status != 201 || again.status != 201 || again.header.Get("Location") != made.header.Get("Location") {
		t.Errorf("got %d, then %d: %s", made.status, again.status, again.body)
	}
	for what, headers := range map[string][]string{"an empty key": {""}, "a long one": {strings.Repeat("x", 256)}} {
		if got := f.again(t, headers[0], undo, "{}"); got.status != 400 {
			t.Errorf("%s: got %d", what, got.status)
		}
	}
	// A search is no act, and a PUT is the same sent twice without a key.
	for range 2 {
		if got := f.do(t, "PUT", "/v1/profiles/me/ratings/"+ids[0].String(), `{"verdict":"like"}`, "Content-Type", "application/json", "Idempotency-Key", "a"); got.status != 200 {
			t.Errorf("a PUT: got %d", got.status)
		}
	}
}

// A form is cut into parts at a boundary that clients draw anew.
func TestAnUploadThatIsSentAgainIsTheSameForm(t *testing.T) {
	f := newFixture(t)
	picture := paint(t, red, 1)
	send := func(content []byte, fields ...string) answer {
		kind, body := form(t, content, fields...)
		return f.do(t, "POST", "/v1/images", body, "Content-Type", kind, "Idempotency-Key", "k")
	}
	first := send(picture, "title", "Abend", "artist", "Roth")
	again := send(picture, "artist", "Roth", "title", "Abend")
	if first.status != 201 || again.status != 201 || again.header.Get("Idempotent-Replayed") != "true" || again.header.Get("Location") == "" {
		t.Errorf("got %d, then %d: %s, want the answer of the first, 201", first.status, again.status, again.body)
	}
	if got := send(picture, "title", "Morgen", "artist", "Roth"); got.status != 422 {
		t.Errorf("another title: got %d", got.status)
	}
	if got := send(paint(t, red, 2), "title", "Abend", "artist", "Roth"); got.status != 422 {
		t.Errorf("another picture: got %d", got.status)
	}
	if got := f.do(t, "POST", "/v1/images", "--x\r\ncut", "Content-Type", "multipart/form-data; boundary=x", "Idempotency-Key", "k2"); got.status != 400 {
		t.Errorf("a form that is cut: got %d", got.status)
	}
}

func TestKeysAreOfTheirCaller(t *testing.T) {
	f := newFixture(t)
	f.rate(t, palate.Like, f.add(t, 3, red, "Roth")...)
	g := f.guarded(t, nil)
	ada, bob := g.token("ada", tokens.Rate), g.token("bob", tokens.Rate)
	undo := func(token string) answer {
		return g.ask("POST", "/v1/profiles/me/undo", "{}", "Content-Type", "application/json", "Idempotency-Key", "1", "Authorization", token)
	}
	first, other, again := undo(ada), undo(bob), undo(ada)
	if first.status != 200 || other.status != 200 || string(first.body) == string(other.body) || string(again.body) != string(first.body) {
		t.Errorf("got %s, %s, %s: want two undone, the first told twice", first.body, other.body, again.body)
	}
	if got := undo("").status; got != 401 {
		t.Errorf("nobody with a key that was used: got %d", got)
	}
}

// Many at once under one key do it once; those that come while it is worked on
// are told so.
func TestOfManyAtOnceUnderOneKeyOneIsDone(t *testing.T) {
	f := newFixture(t)
	f.rate(t, palate.Like, f.add(t, 8, red, "Roth")...)
	for round := range 3 {
		before := f.do(t, "GET", "/v1/profiles/me/ratings?count=true", "").field(t, "total").(float64)
		var mu sync.Mutex
		did, repeated, waits := 0, 0, 0
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				a := f.again(t, fmt.Sprint("round ", round), "/v1/profiles/me/undo", "{}")
				mu.Lock()
				defer mu.Unlock()
				switch {
				case a.status == 409 && a.header.Get("Retry-After") != "":
					waits++
				case a.status == 200 && a.header.Get("Idempotent-Replayed") == "true":
					repeated++
				case a.status == 200:
					did++
				default:
					t.Errorf("got %d: %s", a.status, a.body)
				}
			})
		}
		all.Wait()
		after := f.do(t, "GET", "/v1/profiles/me/ratings?count=true", "").field(t, "total").(float64)
		if did != 1 || did+repeated+waits != 8 || before-after != 1 {
			t.Errorf("%d did it, %d were told what it came to, %d to wait: %v ratings, then %v", did, repeated, waits, before, after)
		}
	}
}
