package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/palate-art/palate"
)

// What many ratings cost in one request, beside as many requests as take that
// long: go test -run '^$' -bench Ratings ./api
func BenchmarkRatings(b *testing.B) {
	f := newFixture(b)
	ids := f.add(b, 50, red, "Roth")
	send := func(b *testing.B, method, path, body string) {
		b.Helper()
		r, err := http.NewRequestWithContext(b.Context(), method, f.url+path, bytes.NewReader([]byte(body)))
		must(b, err)
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		must(b, err)
		must(b, response.Body.Close())
		if response.StatusCode != http.StatusOK {
			b.Fatalf("got %d", response.StatusCode)
		}
	}
	said := 0
	verdict := func() palate.Verdict { // never what stands
		said++
		return []palate.Verdict{palate.Like, palate.Dislike}[said/len(ids)%2]
	}
	b.Run("20 single", func(b *testing.B) {
		for b.Loop() {
			for range 20 {
				v := verdict()
				send(b, "PUT", "/v1/profiles/me/ratings/"+ids[said%len(ids)].String(), fmt.Sprintf(`{"verdict":%q}`, v))
			}
		}
	})
	b.Run("1000 together", func(b *testing.B) {
		for b.Loop() {
			list := make([]string, 1000)
			for i := range list {
				v := verdict()
				list[i] = fmt.Sprintf(`{"image_id":%q,"verdict":%q}`, ids[said%len(ids)], v)
			}
			send(b, "POST", "/v1/profiles/me/ratings", `{"ratings":[`+strings.Join(list, ",")+`]}`)
		}
	})
}
