package program

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

func GetStatus(t *testing.T, address string) int {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// Ask sends JSON and returns the status and its Retry-After.
func (s Server) Ask(method, path, body string) (status int, retryAfter string) {
	s.T.Helper()
	request, err := http.NewRequest(method, s.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.T.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.T.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body) // for the next request on this connection
	return response.StatusCode, response.Header.Get("Retry-After")
}

// Knock sends a request with headers, "Host" among them, and gives the status.
func (s Server) Knock(method, path string, headers ...string) int {
	s.T.Helper()
	request, err := http.NewRequest(method, s.URL+path, nil)
	if err != nil {
		s.T.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if request.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.T.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func ReadAll(t *testing.T, r io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

// UploadWith uploads a picture with a field said of it.
func (s Server) UploadWith(content []byte, field, value string) (int, string) {
	s.T.Helper()
	kind, body := PictureForm(s.T, content, field, value)
	response, err := http.Post(s.URL+"/v1/images", kind, body)
	if err != nil {
		s.T.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, ReadAll(s.T, response.Body)
}
