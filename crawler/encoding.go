package crawler

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// acceptedEncodings is what is asked for where a body is text.
const acceptedEncodings = "gzip, deflate"

// What unpacks to more than freelyUnpacked must not be larger than
// mostUnpacked times what was sent. DEFLATE reaches 1032; pages that repeat
// themselves a lot stay below 100.
const (
	freelyUnpacked = 4 << 20
	mostUnpacked   = 200
)

// decodeBody undoes the Content-Encoding of an answer, so that nobody after
// it meets one: net/http and colly would unpack without bounds. One layer of
// gzip or deflate (RFC 9110, section 8.4.1) is undone; anything else is
// errEncoding with its name. What comes out of the body is at most maxBytes
// long; 0 is no bound.
func decodeBody(resp *http.Response, maxBytes int64) error {
	resp.Uncompressed = true // tells colly to leave it
	coding, err := codingOf(resp.Header)
	if err != nil || coding == "" {
		return err
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength = -1
	resp.Body = &unpackedBody{Closer: resp.Body, Reader: unpack(resp.Body, coding, maxBytes)}
	return nil
}

// codingOf is the one coding of an answer; empty is none.
func codingOf(header http.Header) (string, error) {
	var codings []string
	for name := range strings.SplitSeq(strings.Join(header.Values("Content-Encoding"), ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
			codings = append(codings, name)
		}
	}
	switch all := strings.Join(codings, ", "); all {
	case "":
		return "", nil
	case "gzip", "x-gzip":
		return "gzip", nil
	case "deflate":
		return all, nil
	default:
		return "", fmt.Errorf("the answer is encoded as %.80q: %w", all, errEncoding)
	}
}

type unpackedBody struct {
	io.Closer
	io.Reader
}

// unpack reads what r packs by gzip or deflate, with the bounds on what comes
// out. It takes memory for the decoder's window alone.
func unpack(r io.Reader, coding string, maxBytes int64) io.Reader {
	packed := &packedReader{r: r}
	return &unpacker{packed: packed, in: bufio.NewReaderSize(packed, 32<<10), coding: coding, most: maxBytes}
}

type packedReader struct {
	r io.Reader
	n int64
}

func (c *packedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

type unpacker struct {
	packed *packedReader
	in     *bufio.Reader
	coding string
	most   int64
	out    io.Reader // nil before the first Read
	n      int64     // bytes that came out
}

func (u *unpacker) Read(p []byte) (int, error) {
	if u.out == nil {
		if err := u.begin(); err != nil {
			return 0, err
		}
	}
	n, err := u.out.Read(p)
	u.n += int64(n)
	switch {
	case u.most > 0 && u.n > u.most:
		return 0, fmt.Errorf("it unpacks to more than %d bytes: %w", u.most, errTooLarge)
	case u.n > freelyUnpacked && u.n > mostUnpacked*u.packed.n:
		return 0, fmt.Errorf("%d bytes unpack to %d and more: %w", u.packed.n, u.n, errUnpacked)
	case err == nil, err == io.EOF:
		return n, err
	case errors.Is(err, gzip.ErrHeader) && u.n > 0:
		return n, io.EOF // padding behind the end
	}
	return n, encodingError(u.coding, err)
}

func (u *unpacker) begin() (err error) {
	start, err := u.in.Peek(2)
	if len(start) == 0 {
		return err // an empty body is empty whatever it is said to be
	}
	switch {
	case u.coding == "gzip":
		u.out, err = gzip.NewReader(u.in)
	case len(start) == 2 && start[0]&0x0f == 8 && (int(start[0])<<8|int(start[1]))%31 == 0:
		u.out, err = zlib.NewReader(u.in)
	default: // many servers leave out zlib's wrapping
		u.out, err = flate.NewReader(u.in), nil
	}
	if err != nil {
		return encodingError(u.coding, err)
	}
	return nil
}

// encodingError tells a broken encoding from what went wrong on the way.
func encodingError(coding string, err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum),
		errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary):
		return fmt.Errorf("%s: %w: %w", coding, err, errBrokenEncoding)
	}
	return err
}
