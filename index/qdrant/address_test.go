package qdrant_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/index/qdrant"
)

func TestParseAddress(t *testing.T) {
	with := func(edit func(*qdrant.Config)) qdrant.Config {
		c := qdrant.DefaultConfig()
		edit(&c)
		return c
	}
	for _, tt := range []struct {
		address string
		want    qdrant.Config
	}{
		{"qdrant://127.0.0.1:6334/palate", qdrant.DefaultConfig()},
		{"qdrant://box/art", with(func(c *qdrant.Config) { c.Host, c.Collection = "box", "art" })},
		{"qdrant://[::1]:7000/art", with(func(c *qdrant.Config) { c.Host, c.Port, c.Collection = "::1", 7000, "art" })},
		{"qdrant://se%3Acret%40@box/art?tls=1&ca=/etc/ca.pem", with(func(c *qdrant.Config) {
			c.Host, c.Collection, c.APIKey, c.TLS, c.CAFile = "box", "art", "se:cret@", true, "/etc/ca.pem"
		})},
		{"qdrant://box/art?shards=3&replicas=2&consistency=2&m=32&ef_construct=200&on_disk=1&quantization=scalar&oversampling=2.5&ef=256&timeout=3s&exact=1",
			with(func(c *qdrant.Config) {
				c.Host, c.Collection = "box", "art"
				c.Shards, c.Replicas, c.WriteConsistency, c.HNSWLinks, c.HNSWBuild, c.HNSWSearch = 3, 2, 2, 32, 200, 256
				c.OnDisk, c.Quantization, c.Oversampling, c.SearchTimeout, c.Exact = true, qdrant.ScalarQuantization, 2.5, 3*time.Second, true
			})},
		{"qdrant://box/art?batch=64&write-timeout=2m", with(func(c *qdrant.Config) {
			c.Host, c.Collection, c.BatchPoints, c.WriteTimeout = "box", "art", 64, 2*time.Minute
		})},
		{"qdrant://a/art?nodes=b:6334,[::1]:7000", with(func(c *qdrant.Config) { c.Host, c.Collection, c.Nodes = "a", "art", "b:6334,[::1]:7000" })},
	} {
		got, err := qdrant.ParseAddress(tt.address)
		if err != nil || got != tt.want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", tt.address, got, err, tt.want)
		}
	}
}

func TestParseAddressSaysWhatIsWrong(t *testing.T) {
	for address, want := range map[string]string{
		"":                                          "does not begin with qdrant://",
		"http://box/art":                            "does not begin with qdrant://",
		"qdrant:///art":                             "no host",
		"qdrant://box":                              "no collection",
		"qdrant://box/":                             "no collection",
		"qdrant://box/a/b":                          "the collection has no valid name",
		"qdrant://box:/art":                         "no port",
		"qdrant://box:99999/art":                    "port is 99999",
		"qdrant://box:port/art":                     "no URL",
		"qdrant://@box/art":                         "key before @ is empty",
		"qdrant://k3y:k3y@box/art":                  "%3A",
		"qdrant://k3y%zz@box/art":                   "no URL",
		"qdrant://box/art#x":                        "#",
		"qdrant://box/art?shard=2":                  `one of its options is none of batch, ca, consistency, ef, ef_construct, exact, key_file, m, nodes, on_disk, oversampling, quantization, replicas, shards, timeout, tls, write-timeout`,
		"qdrant://box/art?shards=2&shards=3":        "shards is given 2 times",
		"qdrant://box/art?nodes=b":                  "number 1 of them is not host:port",
		"qdrant://box/art?nodes=b:1,:2":             "number 2 of them is not host:port",
		"qdrant://box/art?nodes=b:99999":            "with a port of 1 to 65535",
		"qdrant://box/art?shards=x":                 "shards is wrong, want a whole number",
		"qdrant://box/art?shards=-1":                "shards is -1",
		"qdrant://box/art?tls=maybe":                "tls is wrong, want 1 or 0",
		"qdrant://box/art?ca=x":                     "ca is given without tls",
		"qdrant://box/art?replicas=2&consistency=3": "more than the 2 replicas",
		"qdrant://box/art?quantization=half":        "quantization is unknown",
		"qdrant://box/art?oversampling=2":           "without quantization",
		"qdrant://box/art?timeout=10":               "want a duration such as 10s",
		"qdrant://box/art?timeout=-1s":              "search timeout is -1s",
		"qdrant://box/art?a=%zz":                    "options can't be read",
	} {
		_, err := qdrant.ParseAddress(address)
		if !errors.Is(err, palate.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an invalid address and %q", address, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "k3y") {
			t.Errorf("%s: the error shows the key: %v", address, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("qdrant://key@host:6334/collection?tls=1&shards=2")
	f.Add("qdrant://[::1]/c?timeout=1h&exact=0")
	f.Fuzz(func(t *testing.T, address string) {
		c, err := qdrant.ParseAddress(address)
		if err != nil {
			if !errors.Is(err, palate.ErrInvalid) {
				t.Errorf("got %v, want it to be invalid", err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%q was read as %+v, which is wrong: %v", address, c, err)
		}
	})
}
