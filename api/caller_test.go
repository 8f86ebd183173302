package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/api"
	"github.com/palate-art/palate/embedder"
	"github.com/palate-art/palate/internal/catalog"
	"github.com/palate-art/palate/internal/tokens"
)

// guarded is the fixture's server as one beyond loopback is: it asks who is
// there.
type guarded struct {
	*httptest.Server
	t        *testing.T
	accounts *tokens.Store
}

func (f *fixture) guarded(t *testing.T, change func(*api.Config)) *guarded {
	t.Helper()
	config := api.DefaultConfig()
	config.Accounts = tokens.In(t.TempDir(), nil)
	if change != nil {
		change(&config)
	}
	server, err := api.New(api.Services{Starter: f.jobs, Catalog: f.catalog, Store: f.store, Collection: f.collection, Index: f.index, Follower: f.follower,
		Embedder: colours{}, Tastes: f.tastes, Patches: func(context.Context) (embedder.PatchEmbedder, error) { return colours{}, nil }},
		config, slog.New(slog.DiscardHandler))
	must(t, err)
	web := httptest.NewServer(server.Handler())
	t.Cleanup(web.Close)
	return &guarded{web, t, config.Accounts}
}

// token makes one and gives the value of its header.
func (g *guarded) token(name string, scope tokens.Scope, profiles ...string) string {
	g.t.Helper()
	_, secret, err := g.accounts.Create(g.t.Context(), tokens.Wish{Name: name, Scope: scope, Profiles: profiles})
	must(g.t, err)
	return "Bearer " + secret
}

// ask sends a request; headers are given in pairs, and redirects not followed.
func (g *guarded) ask(method, path, body string, headers ...string) answer {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), method, g.URL+path, strings.NewReader(body))
	must(g.t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	must(g.t, err)
	defer response.Body.Close()
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return answer{response.StatusCode, response.Header, nil} // which lasts
	}
	content, err := io.ReadAll(response.Body)
	must(g.t, err)
	return answer{response.StatusCode, response.Header, content}
}

// What a caller may do is asked for in one place: every operation of the
// contract is held to what the contract says of it, those that come later too.
func TestEveryOperationAsksWhatTheCallerMay(t *testing.T) {
	f := newFixture(t)
	image := f.add(t, 1, red, "A")[0]
	g := f.guarded(t, nil)
	read, guest, owner := g.token("read", tokens.Read), g.token("guest", tokens.Rate, "guest"), g.token("owner", tokens.Admin)
	spec := document(t)
	if len(spec.Security) != 3 || len(spec.Security[2]) != 0 {
		t.Errorf("got the security %v, want a token, a session, or none where nobody is asked", spec.Security)
	}
	operations, forbidden := 0, 0
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			where := strings.NewReplacer("{profile}", "me", "{image}", image.String(), "{version}", "1", "{job}", "1", "{facet}", "artist", "{plot}", "roc", "{snapshot}", strings.Repeat("0", 32)).Replace(path)
			if strings.Contains(where, "{") {
				t.Errorf("%s: this test has no value for it", path)
			}
			if strings.HasSuffix(path, "{version}/compare") {
				where += "?other=1"
			} else if strings.HasSuffix(path, "/compare") {
				where += "?with=guest"
			}
			operations++
			asks := op.Security == nil || len(*op.Security) > 0
			if byKey := asks && op.Security != nil; byKey && (len(*op.Security) != len(spec.Security)+1 || (*op.Security)[2]["feed"] == nil || !strings.Contains(path, "/feed")) {
				t.Errorf("%s: got the security %v, want none, that of all, or for a feed its key beside", op.OperationID, *op.Security)
			}
			stranger := g.ask(method, where, "")
			if (stranger.status == http.StatusUnauthorized) != asks {
				t.Errorf("%s by nobody: got status %d, and the contract asks who is there: %v", op.OperationID, stranger.status, asks)
			}
			if asks && (stranger.header.Get("WWW-Authenticate") == "" || !strings.Contains(string(stranger.body), "sign in at /sign-in")) {
				t.Errorf("%s by nobody: got %v, %s", op.OperationID, stranger.header, stranger.body)
			}
			posts := method != http.MethodGet && !strings.HasPrefix(path, "/v1/search") && op.OperationID != "scoreUpload" && op.OperationID != "createSnapshot"
			managed := op.OperationID == "getJobLog" // it names folders
			if got := g.ask(method, where, "", "Authorization", read).status; (got == http.StatusForbidden) != (posts || managed) || got == http.StatusUnauthorized {
				t.Errorf("%s by a reader: got status %d, want 403 where something changes alone", op.OperationID, got)
			}
			others := strings.HasPrefix(path, "/v1/profiles/{profile}/")
			got := g.ask(method, where, "", "Authorization", guest).status
			switch {
			case got == http.StatusForbidden:
				forbidden++
			case got == http.StatusBadRequest, got == http.StatusUnsupportedMediaType: // it needs a body, and is refused before anybody looks whose profile it is
			case others, posts:
				t.Errorf("%s by a guest: got status %d, want 403", op.OperationID, got)
			}
			if !others && posts && got != http.StatusForbidden {
				t.Errorf("%s by a guest: got status %d, want 403 whatever is sent", op.OperationID, got)
			}
		}
	}
	if operations < 40 || forbidden < 15 {
		t.Errorf("only %d operations were asked for and %d forbidden", operations, forbidden)
	}
	for path, want := range map[string]int{
		"/v1/images": 200, "/v1/profiles/guest/ratings": 200, "/v1/images?profile=me": 403, "/v1/images?profile=guest": 200, "/v1/profiles/guest/compare?with=me": 403,
	} {
		if got := g.ask("GET", path, "", "Authorization", guest).status; got != want {
			t.Errorf("GET %s by a guest: got status %d, want %d", path, got, want)
		}
	}
	like := []string{"Content-Type", "application/json", "Authorization"}
	for token, want := range map[string]int{read: 403, guest: 200, owner: 200} {
		if got := g.ask("PUT", "/v1/profiles/guest/ratings/"+image.String(), `{"verdict":"like"}`, append(like, token)...).status; got != want {
			t.Errorf("a like: got status %d, want %d", got, want)
		}
	}
	if got := g.ask("DELETE", "/v1/images/"+image.String(), "", "Authorization", owner).status; got != http.StatusNoContent {
		t.Errorf("the owner: got status %d", got)
	}
}

func TestWhatAsksNobody(t *testing.T) {
	f := newFixture(t)
	closed, opened := f.guarded(t, nil), f.guarded(t, func(c *api.Config) { c.OpenMetrics = true })
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/openapi.yaml": 200, "/openapi.json": 200, "/docs": 200, "/app.js": 200, "/style.css": 200, "/icon.svg": 200, "/sign-in": 200,
		"/": 303, "/metrics": 401, "/v1/health": 401, "/v1/version": 401, "/v1/nothing": 401, "/nothing": 401, "/v1/images%2F..": 401, "/docs/../v1/images": 401,
	} {
		if got := closed.ask("GET", path, ""); got.status != want {
			t.Errorf("%s: got status %d, want %d", path, got.status, want)
		}
	}
	if got := opened.ask("GET", "/metrics", ""); got.status != 200 {
		t.Errorf("/metrics that is open: got status %d", got.status)
	}
	for _, given := range []string{"Bearer x", "Bearer", "Basic bWU6cGFzcw==", "palate_token_x"} {
		if got := closed.ask("GET", "/v1/version", "", "Authorization", given); got.status != 401 {
			t.Errorf("%s: got status %d", given, got.status)
		}
	}
}

// signIn signs a browser in and gives its cookie.
func (g *guarded) signIn(secret string) (cookie string, a answer) {
	g.t.Helper()
	a = g.ask("POST", "/sign-in", url.Values{"secret": {secret}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", g.URL, "Sec-Fetch-Site", "same-origin")
	cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	return cookie, a
}

func TestABrowserSignsInByALinkOnce(t *testing.T) {
	f := newFixture(t)
	image := f.add(t, 1, red, "A")[0]
	g := f.guarded(t, nil)
	if a := g.ask("GET", "/", ""); a.status != 303 || a.header.Get("Location") != "/sign-in" {
		t.Errorf("got %d to %q, want the way to sign in", a.status, a.header.Get("Location"))
	}
	link, err := g.accounts.Invite(t.Context())
	must(t, err)
	for range 2 { // to look at it does not use it up
		if a := g.ask("GET", "/sign-in?code="+link, ""); a.status != 200 || !strings.Contains(string(a.body), link) || a.header.Get("Cache-Control") != "no-store" {
			t.Fatalf("got %d: %s", a.status, a.body)
		}
	}
	cookie, a := g.signIn(link)
	set := a.header.Get("Set-Cookie")
	if a.status != 303 || a.header.Get("Location") != "/" || !strings.Contains(set, "HttpOnly") || !strings.Contains(set, "SameSite=Lax") || strings.Contains(set, link) {
		t.Fatalf("got %d, %s", a.status, set)
	}
	if _, again := g.signIn(link); again.status != 401 || !strings.Contains(string(again.body), "palate token link") {
		t.Errorf("the link again: got %d: %s", again.status, again.body)
	}
	like := "/v1/profiles/me/ratings/" + image.String()
	for _, tt := range []struct {
		what, method, path string
		want               int
		headers            []string
	}{
		{"the page", "GET", "/", 200, nil},
		{"what it reads", "GET", "/v1/images", 200, []string{"Sec-Fetch-Site", "same-origin"}},
		{"what it reads through a proxy that asks too", "GET", "/v1/images", 200, []string{"Authorization", "Basic bWU6cGFzcw=="}},
		{"with a token that opens nothing", "GET", "/v1/images", 401, []string{"Authorization", "Bearer x"}},
		{"what it follows", "GET", "/v1/events", 200, []string{"Sec-Fetch-Site", "same-origin"}},
		{"its like", "PUT", like, 200, []string{"Origin", g.URL, "Sec-Fetch-Site", "same-origin"}},
		{"the like of a browser that tells its origin alone", "PUT", like, 200, []string{"Origin", g.URL}},
		{"another page's like", "PUT", like, 403, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		{"another port's like", "PUT", like, 403, []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}},
		{"a like that does not say from where", "PUT", like, 401, nil},
		{"what another page reads", "GET", "/v1/images", 401, []string{"Origin", "https://evil.example"}},
	} {
		if got := g.ask(tt.method, tt.path, `{"verdict":"like"}`, append(tt.headers, "Cookie", cookie, "Content-Type", "application/json")...); got.status != tt.want {
			t.Errorf("%s: got status %d, want %d: %.200s", tt.what, got.status, tt.want, got.body)
		}
	}
	if a := g.ask("GET", "/sign-in", "", "Cookie", cookie); !strings.Contains(string(a.body), "Sign out") {
		t.Errorf("signed in: got %s", a.body)
	}
	if a := g.ask("POST", "/sign-out", "", "Cookie", cookie, "Origin", g.URL); a.status != 303 {
		t.Errorf("sign out: got %d", a.status)
	}
	if a := g.ask("GET", "/v1/images", "", "Cookie", cookie); a.status != 401 {
		t.Errorf("signed out: got %d", a.status)
	}
}

func TestWhoTriesSecretsWaits(t *testing.T) {
	g := newFixture(t).guarded(t, nil)
	owner := g.token("owner", tokens.Admin)
	last := answer{}
	for range 30 {
		if _, last = g.signIn("palate_link_guess"); last.status == http.StatusTooManyRequests {
			break
		}
	}
	if last.status != http.StatusTooManyRequests || last.header.Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q", last.status, last.header.Get("Retry-After"))
	}
	if a := g.ask("GET", "/v1/images", "", "Authorization", "Bearer guess"); a.status != http.StatusTooManyRequests {
		t.Errorf("a token that is guessed: got %d", a.status)
	}
	if a := g.ask("GET", "/v1/images", "", "Authorization", owner); a.status != 200 {
		t.Errorf("who has one, from the same address: got %d", a.status)
	}
}

func TestEveryCallerHasAPaceOfItsOwn(t *testing.T) {
	g := newFixture(t).guarded(t, func(c *api.Config) { c.Limits = api.Limits{PerSecond: .01, Burst: 5} })
	busy, calm := g.token("busy", tokens.Read), g.token("calm", tokens.Read)
	for i := range 7 {
		want := 200
		if i >= 5 {
			want = 429
		}
		a := g.ask("GET", "/v1/version", "", "Authorization", busy)
		if a.status != want || want == 429 && (a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/problem+json") {
			t.Errorf("request %d: got %d %v: %s", i, a.status, a.header, a.body)
		}
	}
	if a := g.ask("GET", "/v1/version", "", "Authorization", calm); a.status != 200 {
		t.Errorf("another: got %d", a.status)
	}
	if a := g.ask("GET", "/healthz", ""); a.status != 200 {
		t.Errorf("/healthz: got %d", a.status)
	}
}

func TestListedOriginsMayAskWithATokenAlone(t *testing.T) {
	f := newFixture(t)
	image := f.add(t, 1, red, "A")[0]
	const friend, stranger = "https://friend.example", "https://stranger.example"
	g := f.guarded(t, func(c *api.Config) { c.Origins = []string{friend} })
	token, like := g.token("friend", tokens.Rate), "/v1/profiles/me/ratings/"+image.String()
	link, err := g.accounts.Invite(t.Context())
	must(t, err)
	cookie, _ := g.signIn(link)
	for origin, want := range map[string]string{friend: friend, stranger: ""} {
		a := g.ask("OPTIONS", like, "", "Origin", origin, "Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,content-type")
		if got := a.header.Get("Access-Control-Allow-Origin"); got != want || (a.status == 204) != (want != "") {
			t.Errorf("%s before: got %d and %q", origin, a.status, got)
		}
		a = g.ask("GET", "/v1/images", "", "Origin", origin, "Authorization", token)
		if got := a.header.Get("Access-Control-Allow-Origin"); got != want || a.status != 200 || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
			t.Errorf("%s reads: got %d, %q", origin, a.status, got)
		}
		for _, path := range []string{"/v1/images/" + image.String() + "/file", "/v1/images/" + image.String() + "/thumbnail"} {
			a := g.ask("GET", path, "", "Origin", origin, "Authorization", token, "Range", "bytes=0-3")
			if got := a.header.Get("Access-Control-Allow-Origin"); got != want || a.status != 206 || !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s reads %s: got %d, %q, Vary %q", origin, path, a.status, got, a.header.Values("Vary"))
			}
			if told := a.header.Get("Access-Control-Expose-Headers"); strings.Contains(told, "Content-Range") != (want != "") {
				t.Errorf("%s reads a part of %s, and may see %q", origin, path, told)
			}
		}
		if a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("cookies must not go along")
		}
	}
	for _, tt := range []struct {
		origin, token, cookie string
		want                  int
	}{{friend, token, "", 200}, {friend, "", cookie, 401}, {stranger, token, "", 403}} {
		if a := g.ask("PUT", like, `{"verdict":"like"}`, "Origin", tt.origin, "Sec-Fetch-Site", "cross-site", "Authorization", tt.token, "Cookie", tt.cookie, "Content-Type", "application/json"); a.status != tt.want {
			t.Errorf("%s rates, cookie %v: got %d, want %d", tt.origin, tt.cookie != "", a.status, tt.want)
		}
	}
	for _, origin := range []string{"*", "friend.example", "https://friend.example/", "HTTPS://Friend.example"} {
		config := api.DefaultConfig()
		config.Origins = []string{origin}
		if err := config.Validate(); !errors.Is(err, palate.ErrInvalid) {
			t.Errorf("%s: got %v", origin, err)
		}
	}
}

func TestEveryAnswerIsSafeInABrowser(t *testing.T) {
	f := newFixture(t)
	image := f.add(t, 1, red, "A")[0]
	for _, path := range []string{"/", "/docs", "/openapi.yaml", "/metrics", "/v1/images", "/v1/images/" + image.String() + "/file", "/v1/images/" + image.String() + "/thumbnail", "/v1/nothing", "/v1/images/x"} {
		h := f.do(t, "GET", path, "").header
		for name, want := range map[string]string{"X-Content-Type-Options": "^nosniff$", "Referrer-Policy": "^no-referrer$", "X-Frame-Options": "^DENY$",
			"Content-Security-Policy": "default-src 'none'.*frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "^same-origin$"} {
			if got := h.Get(name); !regexp.MustCompile(want).MatchString(got) || len(h.Values(name)) != 1 {
				t.Errorf("%s: got %s %q", path, name, h.Values(name))
			}
		}
	}
}

// What one profile is taught is nobody else's to read, where a token is held to
// another: not by way of its jobs and not in figures.
func TestATokenOfAProfileReadsNothingOfAnothers(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	mine, _, err := f.catalog.StartRun(ctx, "arena", "me")
	must(t, err)
	must(t, f.catalog.FinishRun(ctx, mine.ID, catalog.Failed, json.RawMessage(`{"version":1,"profile":"me","likes":3,"cells":[{"version":1,"model":"greys","method":"probe"}]}`), "too few likes"))
	g := f.guarded(t, nil)
	for who, c := range map[string]struct {
		token string
		may   bool
	}{"guest": {g.token("guest", tokens.Rate, "guest"), false}, "me": {g.token("me", tokens.Read, "me"), true}, "all": {g.token("all", tokens.Read), true}} {
		for _, path := range []string{"/v1/jobs", fmt.Sprintf("/v1/jobs/%d", mine.ID)} {
			a := g.ask("GET", path, "", "Authorization", c.token)
			if body := string(a.body); a.status != 200 || !strings.Contains(body, `"failed"`) || strings.Contains(body, "too few likes") != c.may || strings.Contains(body, `"me"`) != c.may || strings.Contains(body, `"likes"`) != c.may {
				t.Errorf("GET %s by %s: got status %d, %s", path, who, a.status, body)
			}
		}
		if a := g.ask("GET", fmt.Sprintf("/v1/jobs/%d/page", mine.ID), "", "Authorization", c.token); (a.status == 403) == c.may {
			t.Errorf("its page by %s: got status %d, %s", who, a.status, a.body)
		}
		if a := g.ask("GET", "/metrics", "", "Authorization", c.token); (a.status == 200) != (who == "all") || a.status != 200 && a.status != 403 {
			t.Errorf("GET /metrics by %s: got status %d", who, a.status)
		}
	}
}
