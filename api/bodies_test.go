package api_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Bodies are bounded by their operation, chunked or not, before a handler
// sees them, and no answer has Go's words.
func TestBodiesAreBounded(t *testing.T) {
	f := newFixture(t)
	rate := "/v1/profiles/me/ratings/" + f.add(t, 1, red, "Roth")[0].String()
	spaces := `{"verdict":"like"` + strings.Repeat(" ", 1<<20) + "}"
	for name, tc := range map[string]struct {
		method, path, body, coding string
		chunked                    bool
		status                     int
	}{
		"usual":             {http.MethodPut, rate, `{"verdict":"like"}`, "", false, http.StatusOK},
		"too large":         {http.MethodPut, rate, spaces, "", false, http.StatusRequestEntityTooLarge},
		"too large, chunks": {http.MethodPut, rate, spaces, "", true, http.StatusRequestEntityTooLarge},
		"trailing data":     {http.MethodPut, rate, `{"verdict":"like"} {}`, "", false, http.StatusBadRequest},
		"a key twice":       {http.MethodPut, rate, `{"verdict":"like","verdict":"dislike"}`, "", false, http.StatusBadRequest},
		"escaped twice":     {http.MethodPut, rate, `{"verdict":"like","v\u0065rdict":"dislike"}`, "", true, http.StatusBadRequest},
		"no JSON":           {http.MethodPut, rate, `{"verdict"`, "", false, http.StatusBadRequest},
		"compressed":        {http.MethodPut, rate, `{"verdict":"like"}`, "gzip", false, http.StatusUnsupportedMediaType},
		"a large probe":     {http.MethodPost, "/v1/profiles/me/probe/import", strings.Repeat("x", 65<<20), "", true, http.StatusRequestEntityTooLarge},
	} {
		var body io.Reader = strings.NewReader(tc.body)
		if tc.chunked {
			body = io.MultiReader(body) // hides the length
		}
		request, err := http.NewRequest(tc.method, f.url+tc.path, body)
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		if strings.HasSuffix(tc.path, "/import") {
			request.Header.Set("Content-Type", "application/octet-stream")
		}
		if tc.coding != "" {
			request.Header.Set("Content-Encoding", tc.coding)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		answer, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != tc.status {
			t.Errorf("%s: got %d %s (%v), want %d", name, response.StatusCode, answer, err, tc.status)
		}
		for _, words := range []string{"http:", "json:", "unexpected EOF", "invalid character", "multipart:"} {
			if bytes.Contains(answer, []byte(words)) {
				t.Errorf("%s: the answer has Go's words: %s", name, answer)
			}
		}
	}
}
