package crawler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// failure is why a visit came to nothing.
type failure struct {
	reason  string
	detail  string
	passes  bool          // the same request may succeed later
	after   time.Duration // that the site asked to wait
	broken  bool          // the body broke off
	changed bool          // the file is not the one that began
	held    time.Time     // the request was not sent: the site wants none before
}

// The refusals of this package's own transport.
var (
	errRobots        = errors.New("robots.txt disallows it")
	errRobotsFailed  = errors.New("robots.txt can't be read now")
	errTooLarge      = errors.New("more bytes than allowed")
	errRedirects     = errors.New("too many redirects")
	errScheme        = errors.New("neither http nor https")
	errPrivate       = errors.New("the address is not public")
	errOffSite       = errors.New("it leads to another site")
	errRequestTooOld = errors.New("no answer in time")

	errEncoding       = errors.New("that encoding can't be read")
	errBrokenEncoding = errors.New("its encoding is broken")
	errUnpacked       = errors.New("more than an honest file unpacks to")
)

func lose(reason, format string, args ...any) *failure {
	return &failure{reason: reason, detail: fmt.Sprintf(format, args...)}
}

// requestFailure names what went wrong before there was a whole answer.
func requestFailure(err error) *failure {
	f := &failure{detail: err.Error()}
	var timeout net.Error
	var dns *net.DNSError
	var held *heldError
	switch {
	case errors.As(err, &held):
		f.reason, f.passes, f.held = "site_busy", true, held.until
	// A host that can't be had at all has no robots.txt to speak of.
	case errors.Is(err, errPrivate):
		f.reason = "private_address"
	case errors.As(err, &dns) && dns.IsNotFound:
		f.reason = "unknown_host"
	case errors.Is(err, errRobots):
		f.reason = "robots"
	case errors.Is(err, errRobotsFailed):
		f.reason, f.passes = "robots_unavailable", true
	case errors.Is(err, errEncoding):
		f.reason = "unsupported_encoding"
	case errors.Is(err, errBrokenEncoding):
		f.reason = "broken_encoding"
	case errors.Is(err, errUnpacked):
		f.reason = "unpacks_too_far"
	case errors.Is(err, errTooLarge):
		f.reason = "too_large"
	case errors.Is(err, errRedirects):
		f.reason = "redirect_loop"
	case errors.Is(err, errScheme):
		f.reason = "bad_scheme"
	case errors.Is(err, errOffSite):
		f.reason = "off_site"
	case errors.Is(err, errRequestTooOld), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		f.reason, f.passes = "time_out", true
	case errors.Is(err, io.ErrUnexpectedEOF):
		f.reason, f.passes = "cut_short", true
	default:
		f.reason, f.passes = "connection", true
	}
	return f
}

// statusFailure judges an answer; nil if it may be used.
func statusFailure(status int, header http.Header, now time.Time) *failure {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return lose("forbidden", "HTTP %d", status)
	}
	f := lose("http_"+strconv.Itoa(status), "HTTP %d %s", status, http.StatusText(status))
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.passes, f.after = true, retryAfter(header, now)
	}
	return f
}

// retryAfter reads the header in both forms of RFC 9110, section 10.2.3.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
