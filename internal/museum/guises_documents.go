package museum

import (
	"bytes"
	"compress/gzip"
)

// documentGuises are those of sites that are no pages.
func documentGuises() []Guise {
	return nil
}

func gzipped(plain []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(plain); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
