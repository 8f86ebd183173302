package collection_test

import (
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/palate-art/palate/internal/collection"
)

func TestTheNamesThatAServerAnswersFor(t *testing.T) {
	all, err := collection.HostsFor(&net.TCPAddr{IP: net.IPv6unspecified, Port: 1}, []string{"Art.Example.", "", "[2001:DB8::7]", "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	wanted := []string{"localhost", "127.0.0.1", "::1", "art.example", "2001:db8::7"}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		wanted = append(wanted, address.(*net.IPNet).IP.String())
	}
	for _, want := range wanted {
		if !slices.Contains(all, want) {
			t.Errorf("%v lacks %s", all, want)
		}
	}
	few, err := collection.HostsFor(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, nil)
	if err != nil || len(few) != 3 {
		t.Errorf("on loopback: got %v and %v, want its three names", few, err)
	}
	var asked collection.AskedError
	for _, name := range []string{"http://art.example", "art.example:80", "*", "a b", "[::1]:80"} {
		if _, err := collection.HostsFor(&net.TCPAddr{}, []string{name}); !errors.As(err, &asked) {
			t.Errorf("%s: got %v, want an error about what was asked for", name, err)
		}
	}
}

func TestTheAddressThatABrowserOpens(t *testing.T) {
	for address, want := range map[string]string{"0.0.0.0:7252": "http://127.0.0.1:7252", "[::]:7252": "http://127.0.0.1:7252", "192.0.2.7:80": "http://192.0.2.7:80", "[::1]:80": "http://[::1]:80"} {
		tcp, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := collection.Browsable(tcp); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
}
