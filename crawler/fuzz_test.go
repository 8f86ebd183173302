package crawler_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/palate-art/palate/crawler"
)

func FuzzCanonicalAddressIsASCIIAndStays(f *testing.F) {
	base := &url.URL{Scheme: "https", Host: "site.test", Path: "/a/b"}
	for _, seed := range []string{"", "#x", "//h/x?q=ü y", "http://[::1]:80/", "ä/%zz", "?a=1&sid=2&&b", "http://U@xn--/;jsessionid=1", "\xff\xfe?\xff", "HTTP://ÄB.test:443/%E4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		address, ok := crawler.Canonical(base, reference)
		if !ok {
			return
		}
		if strings.ContainsFunc(address, func(r rune) bool { return r >= utf8.RuneSelf || r <= ' ' }) {
			t.Errorf("%q became %q, which is no plain ASCII", reference, address)
		}
		if again, ok := crawler.Canonical(base, address); !ok || again != address {
			t.Errorf("%q became %q and that %q (%v)", reference, address, again, ok)
		}
	})
}

func FuzzSrcsetAddressesAreOfTheText(f *testing.F) {
	for _, seed := range []string{"a 1x, b 2x", "a,b", ",,a,, 2w", "data:x,y 3w", "a 1w 2h,b", "a x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, address := range crawler.SrcsetAddresses(text) {
			if address == "" || !strings.Contains(text, address) || strings.HasSuffix(address, ",") {
				t.Errorf("%q gave the address %q", text, address)
			}
		}
	})
}

func FuzzStrippedHTMLIsOneTidyLine(f *testing.F) {
	for _, seed := range []string{"<b>a</b>\n<p>b", "&lt;x&gt;", "<script>x</script>y", "a\u00a0 b", "\xff<"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := crawler.StripHTML(text)
		if got != strings.TrimSpace(got) || strings.ContainsAny(got, "\r\n\t") || !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
	})
}
