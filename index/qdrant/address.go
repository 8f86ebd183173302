package qdrant

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/palate-art/palate"
)

// Scheme begins an address.
const Scheme = "qdrant://"

// ParseAddress reads the address of an index,
//
//	qdrant://[key@]host[:port]/collection[?option=value&…]
//
// with the options nodes (further ones of a cluster, host:port with commas
// between), key_file (a file that holds the key), tls and ca, shards, replicas and consistency, m,
// ef_construct and on_disk, quantization and oversampling, exact, ef, timeout
// (of a search), write-timeout (of a change of points) and batch (points of one
// upsert). What it does not name is as in DefaultConfig. Characters of
// the key that mean something in a URL are written as %XX. Its error is
// palate.ErrInvalid and shows neither the key nor anything else of the address
// that could hold it if it is misspelt: it names the part that is wrong.
func ParseAddress(address string) (Config, error) {
	c := DefaultConfig()
	wrong := func(format string, args ...any) (Config, error) {
		return Config{}, fmt.Errorf("index address: "+format+"; want %s[key@]host[:port]/collection: %w", append(args, Scheme, palate.ErrInvalid)...)
	}
	if !strings.HasPrefix(address, Scheme) {
		return wrong("it does not begin with %s", Scheme)
	}
	u, err := url.Parse(address)
	if err != nil { // its text would show the key
		return wrong("it is no URL (characters of the key that mean something in a URL are written as %%XX)")
	}
	if _, given := u.User.Password(); given {
		return wrong("the key has a colon, which is written as %%3A")
	}
	c.APIKey = u.User.Username()
	if u.User != nil && c.APIKey == "" {
		return wrong("the key before @ is empty")
	}
	if c.Host = u.Hostname(); c.Host == "" {
		return wrong("no host is given")
	}
	if port := u.Port(); port != "" {
		if c.Port, err = strconv.Atoi(port); err != nil {
			return wrong("its port is no number")
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return wrong("no port stands after the colon")
	}
	if c.Collection = strings.TrimPrefix(u.Path, "/"); c.Collection == "" {
		return wrong("no collection is given")
	}
	if u.Fragment != "" {
		return wrong("nothing may follow a #")
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrong("its options can't be read")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		set, known := options[name]
		if !known {
			return wrong("one of its options is none of %s", strings.Join(slices.Sorted(maps.Keys(options)), ", "))
		}
		if len(values[name]) != 1 {
			return wrong("option %s is given %d times", name, len(values[name]))
		}
		if err := set(&c, values[name][0]); err != nil {
			return wrong("option %s is wrong, want %w", name, err)
		}
	}
	if err := c.Validate(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// options read one option each; their errors say what is wanted.
var options = map[string]func(c *Config, value string) error{
	"tls": func(c *Config, v string) error { return readBool(&c.TLS, v) },
	"ca":  func(c *Config, v string) error { c.CAFile = v; return nil },
	"key_file": func(c *Config, v string) error {
		if c.KeyFile = v; v == "" {
			return fmt.Errorf("a file that holds the key")
		}
		return nil
	},
	"nodes":        func(c *Config, v string) error { c.Nodes = v; return nil },
	"shards":       func(c *Config, v string) error { return readInt(&c.Shards, v) },
	"replicas":     func(c *Config, v string) error { return readInt(&c.Replicas, v) },
	"consistency":  func(c *Config, v string) error { return readInt(&c.WriteConsistency, v) },
	"m":            func(c *Config, v string) error { return readInt(&c.HNSWLinks, v) },
	"ef_construct": func(c *Config, v string) error { return readInt(&c.HNSWBuild, v) },
	"ef":           func(c *Config, v string) error { return readInt(&c.HNSWSearch, v) },
	"quantization": func(c *Config, v string) error { c.Quantization = Quantization(v); return nil },
	"on_disk":      func(c *Config, v string) error { return readBool(&c.OnDisk, v) },
	"exact":        func(c *Config, v string) error { return readBool(&c.Exact, v) },
	"oversampling": func(c *Config, v string) (err error) {
		if c.Oversampling, err = strconv.ParseFloat(v, 64); err != nil {
			return fmt.Errorf("a number")
		}
		return nil
	},
	"batch":         func(c *Config, v string) error { return readInt(&c.BatchPoints, v) },
	"timeout":       func(c *Config, v string) error { return readDuration(&c.SearchTimeout, v) },
	"write-timeout": func(c *Config, v string) error { return readDuration(&c.WriteTimeout, v) },
}

func readDuration(into *time.Duration, value string) (err error) {
	if *into, err = time.ParseDuration(value); err != nil {
		return fmt.Errorf("a duration such as 10s")
	}
	return nil
}

func readInt(into *int, value string) (err error) {
	if *into, err = strconv.Atoi(value); err != nil {
		return fmt.Errorf("a whole number")
	}
	return nil
}

func readBool(into *bool, value string) (err error) {
	if *into, err = strconv.ParseBool(value); err != nil {
		return fmt.Errorf("1 or 0")
	}
	return nil
}
