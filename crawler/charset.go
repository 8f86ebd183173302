package crawler

import (
	"bytes"
	"io"
	"strings"

	"github.com/gocolly/colly/v2"
	"golang.org/x/net/html/charset"
)

// decodeCharset turns a page into UTF-8 by its byte order mark or its meta
// element. One whose header names the charset has been decoded by colly.
func decodeCharset(resp *colly.Response) {
	kind := strings.ToLower(resp.Headers.Get("Content-Type"))
	if strings.Contains(kind, "charset") || strings.HasPrefix(kind, "image/") || strings.Contains(kind, "octet-stream") {
		return
	}
	reader, err := charset.NewReader(bytes.NewReader(resp.Body), "")
	if err != nil {
		return // an unknown charset: read as UTF-8, as browsers do
	}
	if text, err := io.ReadAll(reader); err == nil {
		resp.Body = text
	}
}
