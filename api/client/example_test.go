package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/palate-art/palate/api/client"
)

// The server is any palate, as palate serve starts one; here it is a stand-in
// that answers as the contract says.
func ExampleNewClientWithResponses() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"profiles":[{"profile":"me","likes":12,"dislikes":30,"skips":1}]}`)
	}))
	defer server.Close()
	c, err := client.NewClientWithResponses(server.URL)
	if err != nil {
		panic(err)
	}
	answer, err := c.ListProfilesWithResponse(context.Background())
	if err != nil {
		panic(err)
	}
	if answer.JSON200 == nil {
		panic(answer.Status())
	}
	for _, p := range answer.JSON200.Profiles {
		fmt.Println(p.Profile, p.Likes, p.Dislikes)
	}
	// Output: me 12 30
}
