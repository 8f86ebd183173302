package main

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/palate-art/palate/test/program"
)

// openServer serves on all addresses; it is asked through loopback alone.
func openServer(t *testing.T, addr string, args ...string) program.Server {
	t.Helper()
	p := program.Start(t, append([]string{"serve", "--addr", addr, "--data", demoCollection(t), "--no-embed"}, args...)...)
	return program.Server{Process: p, URL: program.AwaitAddress(t, p)}
}

func TestAServerOpenToTheNetworkKeepsItsGuards(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	s := openServer(t, "0.0.0.0:0", "--insecure", "--host", "Art.Example", "--host", "palate")
	at, err := url.Parse(s.URL)
	if err != nil || at.Hostname() != "127.0.0.1" {
		t.Errorf("announced %s (%v), want an address that a browser can open", s.URL, err)
	}
	port := ":" + at.Port()
	own := []string{"127.0.0.1" + port, "localhost" + port, "[::1]" + port, "art.example", "ART.example.:8443", "palate" + port, strings.ToUpper(name) + port}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		own = append(own, net.JoinHostPort(address.(*net.IPNet).IP.String(), at.Port()))
	}
	for _, host := range own {
		if got := s.Knock("GET", "/healthz", "Host", host); got != http.StatusOK {
			t.Errorf("Host %s: got status %d, want 200", host, got)
		}
	}
	for _, host := range []string{"evil.example", "evil.example" + port, "0.0.0.0" + port, "198.51.100.7", "localhost.evil.example", "art.example.evil"} {
		for _, path := range []string{"/", "/healthz", "/v1/images"} {
			if got := s.Knock("GET", path, "Host", host); got != http.StatusMisdirectedRequest {
				t.Errorf("GET %s of Host %s: got status %d, want 421", path, host, got)
			}
		}
	}
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1:1"} {
		if got := s.Knock("POST", "/v1/profiles/me/probe", "Origin", origin); got != http.StatusForbidden {
			t.Errorf("POST from %s: got status %d, want 403", origin, got)
		}
	}
	if got := s.Knock("POST", "/v1/profiles/me/probe", "Origin", s.URL); got == http.StatusForbidden {
		t.Error("POST from the server's own page: got status 403")
	}
	if got := s.Knock("POST", "/v1/profiles/me/probe", "Origin", "https://art.example", "Host", "art.example"); got == http.StatusForbidden || got == http.StatusMisdirectedRequest {
		t.Errorf("POST through a proxy that keeps the name: got status %d", got)
	}
	log := s.ErrOut.String()
	if strings.Count(log, "level=WARN") != 1 {
		t.Errorf("got %d warnings, want one: %s", strings.Count(log, "level=WARN"), log)
	}
	for _, want := range []string{"--insecure", "asks nobody", "rate, delete and start crawls", "proxy", "docker-compose.yml", "--host", "art.example"} {
		if !strings.Contains(log, want) {
			t.Errorf("the warning does not mention %q: %s", want, log)
		}
	}
}

// A server beyond loopback tells whoever started it how to come in, and lets
// nobody else in.
func TestAServerOpenToTheNetworkAsksWhoIsThere(t *testing.T) {
	data := demoCollection(t)
	p := program.Start(t, "serve", "--addr", "0.0.0.0:0", "--data", data, "--no-embed")
	s := program.Server{Process: p, URL: program.AwaitAddress(t, p)}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/v1/images": 401, "/metrics": 401} {
		if got := s.Knock("GET", path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	program.MustRun(t, "health", "--addr", strings.TrimPrefix(s.URL, "http://"))
	var link string
	program.Eventually(t, "a link is told", func() bool {
		link = regexp.MustCompile(`http://127\.0\.0\.1:\d+/sign-in\?code=\S+`).FindString(p.ErrOut.String())
		return link != ""
	})
	if log := p.ErrOut.String(); strings.Contains(log, "WARN") || !strings.Contains(log, "asked nobody; --insecure") {
		t.Errorf("what has changed is not told: %s", log)
	}
	if got := s.Knock("GET", strings.TrimPrefix(link, s.URL)); got != 200 {
		t.Errorf("the link: got %d", got)
	}
	token := program.JSONRun[struct{ ID, Secret string }](t, "token", "create", "phone", "--scope", "read", "--data", data)
	if got := s.Knock("GET", "/v1/images", "Authorization", "Bearer "+token.Secret); got != 200 {
		t.Errorf("a token: got %d", got)
	}
	if got := s.Knock("DELETE", "/v1/trash", "Authorization", "Bearer "+token.Secret); got != 403 {
		t.Errorf("a token that may read: got %d", got)
	}
	if list := program.MustRun(t, "token", "list", "--data", data); !strings.Contains(list, token.ID) || !strings.Contains(list, "phone") || strings.Contains(list, token.Secret) {
		t.Errorf("got the list %s", list)
	}
	program.MustRun(t, "token", "revoke", "phone", "--data", data)
	if got := s.Knock("GET", "/v1/images", "Authorization", "Bearer "+token.Secret); got != 401 {
		t.Errorf("a token that was revoked: got %d", got)
	}
	if got := program.MustRun(t, "token", "link", "--addr", "https://art.example/", "--data", data); !strings.HasPrefix(got, "https://art.example/sign-in?code=palate_link_") {
		t.Errorf("got the link %s", got)
	}
	program.MustFail(t, exitUsage, []string{"--insecure", "--sign-in"}, "serve", "--insecure", "--sign-in", "--addr", "127.0.0.1:0", "--data", data)
	program.MustFail(t, exitUsage, []string{"https://art.example"}, "serve", "--cors-origin", "art", "--addr", "127.0.0.1:0", "--data", data, "--no-embed")
}

func TestAServerOnLoopbackWarnsOfNothing(t *testing.T) {
	s := openServer(t, "127.0.0.1:0")
	if got := s.Knock("GET", "/healthz", "Host", "evil.example"); got != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host: got status %d, want 421", got)
	}
	if log := s.ErrOut.String(); strings.Contains(log, "WARN") {
		t.Errorf("got a warning: %s", log)
	}
}

func TestHostNamesThatAreNone(t *testing.T) {
	for _, name := range []string{"http://art.example", "art.example:80", "*", "*.example", "a b", "me@art.example", "[::1]:80"} {
		for _, command := range []string{"serve", "demo"} {
			program.MustFail(t, exitUsage, []string{"--host", "without a port"}, command, "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--host", name)
		}
	}
}
