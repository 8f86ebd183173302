package collection_test

import (
	"net"
	"testing"

	"github.com/palate-art/palate/internal/collection"
)

func TestWhereAServerAsksWhoIsThere(t *testing.T) {
	loopback, network := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.IPv4zero, Port: 1}
	for _, tt := range []struct {
		guard   collection.Guard
		address net.Addr
		want    bool
	}{
		{collection.Guard{}, loopback, false}, {collection.Guard{}, &net.TCPAddr{IP: net.IPv6loopback}, false}, {collection.Guard{}, network, true},
		{collection.Guard{Insecure: true}, network, false}, {collection.Guard{SignIn: true}, loopback, true}, {collection.Guard{}, &net.UnixAddr{Name: "x"}, true},
	} {
		if got, err := tt.guard.Asks(tt.address); err != nil || got != tt.want {
			t.Errorf("%+v at %v: got %v, %v, want %v", tt.guard, tt.address, got, err, tt.want)
		}
	}
	if _, err := (collection.Guard{Insecure: true, SignIn: true}).Asks(loopback); err == nil {
		t.Error("both at once: got no error")
	}
	for server, want := range map[string]string{"127.0.0.1:7252": "http://127.0.0.1:7252/sign-in?code=x", "https://art.example/": "https://art.example/sign-in?code=x"} {
		if got := collection.SignInLink(server, "x"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
