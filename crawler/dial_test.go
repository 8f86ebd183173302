package crawler_test

import (
	"testing"

	"github.com/palate-art/palate/crawler"
)

func TestOnlyPublicAddressesAreDialled(t *testing.T) {
	for address, public := range map[string]bool{
		"93.184.215.14:80": true, "[2606:4700::6810:84e5]:443": true,
		"127.0.0.1:80": false, "10.1.2.3:80": false, "172.16.0.1:80": false, "192.168.0.1:80": false, "169.254.169.254:80": false,
		"0.0.0.0:80": false, "100.64.0.1:80": false, "198.18.0.1:80": false, "203.0.113.7:80": false, "255.255.255.255:80": false,
		"[::1]:80": false, "[::]:80": false, "[fe80::1]:80": false, "[fe80::1%eth0]:80": false, "[fc00::1]:80": false, "[fec0::1]:80": false,
		"[::ffff:127.0.0.1]:80": false, "[::127.0.0.1]:80": false, "[2001:db8::1]:80": false,
		// 6to4, NAT64, Teredo and ISATAP reach an address of IPv4.
		"[2002:7f00:1::]:80": false, "[2002:a9fe:a9fe::1]:80": false, "[2002:c0a8:1::1]:80": false, "[2002:5db8:d70e::1]:80": true,
		"[64:ff9b::7f00:1]:80": false, "[64:ff9b::a9fe:a9fe]:80": false, "[64:ff9b::5db8:d70e]:80": true, "[64:ff9b:1::5db8:d70e]:80": false,
		"[2001:0:5db8:d70e::]:80": false, "[2606:4700::5efe:10.0.0.1]:80": false, "[2606:4700::200:5efe:10.0.0.1]:80": false,
		"museum.example:80": false,
	} {
		if err := crawler.RefusePrivate(address); (err == nil) != public {
			t.Errorf("%s: %v, want public %v", address, err, public)
		}
	}
}
