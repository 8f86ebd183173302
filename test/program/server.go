package program

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"
)

// Server is a palate that serves in a process of its own.
type Server struct {
	*Process
	URL string
}

var ServingAt = regexp.MustCompile(`at (http://\S+)`)

func StartServer(t *testing.T, args ...string) Server {
	t.Helper()
	p := Start(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	return Server{Process: p, URL: AwaitAddress(t, p)}
}

// AwaitAddress waits until a server tells where it listens.
func AwaitAddress(t *testing.T, p *Process) (address string) {
	t.Helper()
	Eventually(t, "the server tells its address", func() bool {
		select {
		case <-p.Ended:
			t.Fatalf("palate serve ended: %s", p.ErrOut.String())
		default:
		}
		if found := ServingAt.FindStringSubmatch(p.ErrOut.String()); found != nil {
			address = found[1]
		}
		return address != ""
	})
	return address
}

// Get asks the API for a JSON answer.
func Get[T any](s Server, path string, query url.Values) T {
	s.T.Helper()
	response, err := http.Get(s.URL + path + "?" + query.Encode())
	if err != nil {
		s.T.Fatal(err)
	}
	defer response.Body.Close()
	var answer T
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		s.T.Fatalf("GET %s: got status %d and %v, want 200 and JSON", path, response.StatusCode, err)
	}
	return answer
}

type ImageList struct {
	Images []struct {
		ID string `json:"id"`
	} `json:"images"`
}

func (l ImageList) IDs() []string {
	var ids []string
	for _, image := range l.Images {
		ids = append(ids, image.ID)
	}
	slices.Sort(ids)
	return ids
}

func (s Server) Images(query url.Values) []string {
	s.T.Helper()
	query.Set("limit", "100")
	return Get[ImageList](s, "/v1/images", query).IDs()
}

// Neighbours are how many images the index finds around one, at most 100.
func (s Server) Neighbours(id, judged string) int {
	s.T.Helper()
	query := url.Values{"limit": {"100"}, "profile": {"me"}}
	if judged != "" {
		query.Set("judged", judged)
	}
	response, err := http.Get(s.URL + "/v1/images/" + id + "/neighbours?" + query.Encode())
	if err != nil {
		s.T.Fatal(err)
	}
	defer response.Body.Close()
	var hits struct {
		Hits []json.RawMessage `json:"hits"`
	}
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&hits) != nil {
		return 0 // not indexed yet
	}
	return len(hits.Hits)
}
