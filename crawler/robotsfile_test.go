package crawler_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/palate-art/palate/crawler"
	"github.com/palate-art/palate/internal/museum"
)

// TestRobotsFileIsReadAsRFC9309Says has one case for each sentence of the
// RFC and each habit of real files; several follow what google/robotstxt
// tests.
func TestRobotsFileIsReadAsRFC9309Says(t *testing.T) {
	for _, test := range []struct {
		name, text       string
		allowed, refused string // paths, separated by blanks
	}{
		{"empty file", "", "/ /a", ""},
		{"all", "User-agent: *\nDisallow: /\n", "/robots.txt", "/ /a /a?b"},
		{"empty rule", "User-agent: *\nDisallow:\n", "/ /a", ""},
		{"blank before the colon", "User-agent : *\nDisallow : /a\n", "/b", "/a /ab"},
		{"blank instead of the colon", "User-agent *\nDisallow /a\n", "/b", "/a"},
		{"tabs and case", "USER-AGENT:\t*\n\tdisALLOW:\t/a\t\n", "/b", "/a"},
		{"rules before the first group", "Disallow: /a\nAllow: /\nUser-agent: *\nDisallow: /b\n", "/a", "/b"},
		{"byte order mark", "\xef\xbb\xbfUser-agent: *\nDisallow: /a\n", "/b", "/a"},
		{"old Macintosh's line ends", "User-agent: *\rDisallow: /a\r", "/b", "/a"},
		{"DOS' line ends", "User-agent: *\r\nDisallow: /a\r\n", "/b", "/a"},
		{"no line end at the end", "User-agent: *\nDisallow: /a", "/b", "/a"},
		{"comments", "# all\nUser-agent: * # everybody\nDisallow: /a# or b\n", "/b", "/a"},
		{"own group wins", "User-agent: *\nDisallow: /a\n\nUser-agent: palate\nDisallow: /b\n", "/a", "/b"},
		{"own group without rules", "User-agent: *\nDisallow: /\n\nUser-agent: Palate\n", "/a", ""},
		{"own group in two parts", "User-agent: palate\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: PALATE\nDisallow: /b\n", "/c", "/a /b"},
		{"everybody's in two parts", "User-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: *\nDisallow: /b\n", "/c", "/a /b"},
		{"several agents of one group", "User-agent: a\nUser-agent: palate\n\nUser-agent: b\nDisallow: /a\n", "/b", "/a"},
		{"longer name", "User-agent: palatebot\nDisallow: /\n", "/a", ""},
		{"shorter name", "User-agent: pal\nDisallow: /\n", "/a", ""},
		{"name with version", "User-agent: palate/2.1 (x)\nDisallow: /a\n", "/b", "/a"},
		{"asterisk within a name", "User-agent: pal*\nDisallow: /\n", "/a", ""},
		{"sitemap between the agents and the rules", "User-agent: *\nSitemap: /s.xml\nDisallow: /a\n", "/b", "/a"},
		{"sitemap between the agents", "User-agent: palate\nSitemap: /s.xml\nUser-agent: x\nDisallow: /a\n", "/b", "/a"},
		{"another's delay before", "User-agent: x\nCrawl-delay: 9\nUser-agent: *\nDisallow: /a\n", "/b", "/a"},
		{"longest wins", "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b/c\n", "/a/b /a/bd", "/a /a/c /a/b/c"},
		{"longest wins in any order", "User-agent: *\nAllow: /a/b\nDisallow: /a\n", "/a/b", "/a/c"},
		{"Allow wins a tie", "User-agent: *\nDisallow: /a\nAllow: /a\n", "/a /ab", ""},
		{"Allow wins a tie of patterns", "User-agent: *\nDisallow: /a*\nAllow: /ab\n", "/ab", "/ac"},
		{"asterisk", "User-agent: *\nDisallow: /a*b\n", "/ac /ba", "/ab /acb /acbd /a/b"},
		{"asterisk first", "User-agent: *\nDisallow: *.gif\n", "/a.png", "/a.gif /b/a.gif?c"},
		{"asterisk and end", "User-agent: *\nDisallow: /*.gif$\n", "/a.gif?c /a.gifs", "/a.gif /.gif /a.gif.gif"},
		{"end", "User-agent: *\nDisallow: /a$\n", "/ab /a?b", "/a"},
		{"only the start page", "User-agent: *\nAllow: /$\nDisallow: /\n", "/", "/a /?a"},
		{"dollar within", "User-agent: *\nDisallow: /a$b\n", "/a", "/a$b /a$bc"},
		{"escaped asterisk", "User-agent: *\nDisallow: /a%2Ab\n", "/acb", "/a*b /a%2ab"},
		{"escaped dollar", "User-agent: *\nDisallow: /a%24\n", "/a", "/a$ /a$b"},
		{"many asterisks", "User-agent: *\nDisallow: /*a*b*c*$\n", "/acb", "/abc /xaxbxcx"},
		{"case of paths", "User-agent: *\nDisallow: /A\n", "/a", "/A"},
		{"escaped slash is no slash", "User-agent: *\nDisallow: /a/b\n", "/a%2Fb /a%2fb", "/a/b"},
		{"rule with an escaped slash", "User-agent: *\nDisallow: /a%2fb\n", "/a/b", "/a%2Fb /a%2fb"},
		{"escapes in small letters", "User-agent: *\nDisallow: /%c3%bc\n", "/u", "/%C3%BC /%c3%bc /ü"},
		{"letters as they are", "User-agent: *\nDisallow: /\nAllow: /ü/\n", "/%C3%BC/a /ü/a", "/a"},
		{"needless escapes", "User-agent: *\nDisallow: /%61%7E\n", "/b", "/a~ /%61~ /a%7e"},
		{"needless escapes in the path", "User-agent: *\nDisallow: /private\n", "/public", "/%70rivate /priv%61te"},
		{"blank in a path", "User-agent: *\nDisallow: /a b\n", "/a", "/a%20b"},
		{"query", "User-agent: *\nDisallow: /a?b=\n", "/a /a?c=1", "/a?b=1"},
		{"query anywhere", "User-agent: *\nDisallow: /*?\n", "/a", "/a?b /?c"},
		{"pattern without a slash", "User-agent: *\nDisallow: a\n", "/a", ""},
		{"whole address for a path", "User-agent: *\nDisallow: http://x.test/a\n", "/a", ""},
		{"unknown lines", "User-agent: *\nNoindex: /\nHost: x\nDisallow: /a\n", "/b", "/a"},
		{"no text at all", "<!DOCTYPE html><p>Not found", "/ /a", ""},
		{"zero bytes", "User-agent: *\x00\nDisallow: /a\x00\n", "/b", "/a"},
		{"Wikimedia Commons", "User-agent: *\nAllow: /w/api.php?action=mobileview&\nAllow: /w/load.php?\nDisallow: /w/\nDisallow: /wiki/Special:\nDisallow: /wiki/Special%3A\n",
			"/wiki/File:A.jpg /w/load.php?x /w/api.php?action=mobileview&x", "/w/index.php /w/api.php?action=query /wiki/Special:X /wiki/Special%3AX"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range strings.Fields(test.allowed) {
				if ok, _ := crawler.RobotsAllow(test.text, "palate", path); !ok {
					t.Errorf("%s is refused", path)
				}
			}
			for _, path := range strings.Fields(test.refused) {
				if ok, _ := crawler.RobotsAllow(test.text, "palate", path); ok {
					t.Errorf("%s is allowed", path)
				}
			}
		})
	}
}

func TestCrawlDelayIsOfTheOwnGroup(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"User-agent: *\nCrawl-delay: 5\n":                                      5 * time.Second,
		"User-agent: *\nCrawl-delay: 0.5\nDisallow: /a\n":                      time.Second / 2,
		"User-agent: x\nCrawl-delay: 5\nUser-agent: *\nDisallow: /a\n":         0,
		"User-agent: *\nCrawl-delay: 5\nUser-agent: palate\nDisallow: /a\n":    0,
		"User-agent: *\nCrawl-delay: soon\n":                                   0,
		"User-agent: *\nCrawl-delay: -1\n":                                     0,
		"User-agent: *\nCrawl-delay: NaN\n":                                    0,
		"User-agent: *\nCrawl-delay: 1e300\n":                                  1e9 * time.Second,
		"User-agent: *\nCrawl-delay: 2\n\nUser-agent: *\nCrawl-delay : 3 #s\n": 3 * time.Second,
	} {
		if _, got := crawler.RobotsAllow(text, "palate", "/"); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestLargeRobotsFileIsReadUpToItsBound(t *testing.T) {
	var text strings.Builder
	text.WriteString("User-agent: *\nDisallow: /originals/\n")
	for i := 0; text.Len() < 600<<10; i++ {
		fmt.Fprintf(&text, "Disallow: /nowhere/%d\n", i)
	}
	m := openMuseum(t, small, museum.Behaviour{Robots: museum.Robots{Body: text.String()}})
	report, _ := crawl(t, quick(), newCollection(), m, commons(t, m))
	if report.Kept != 0 || report.Lost["robots"] != few {
		t.Errorf("kept %d and lost %v, want all lost to robots.txt", report.Kept, report.Lost)
	}
}

func FuzzRobotsFile(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /a*b$\nAllow: /%c3%bc\n", "/a%2Fb?c=d")
	f.Add("\xef\xbb\xbfuser-agent palate\rdisallow /", "/ü*$")
	f.Fuzz(func(t *testing.T, text, path string) {
		_, delay := crawler.RobotsAllow(text, "palate", path)
		if delay < 0 {
			t.Errorf("delay %v", delay)
		}
		for _, pattern := range []bool{false, true} {
			once := crawler.NormalEscapes(path, pattern)
			if again := crawler.NormalEscapes(once, pattern); again != once {
				t.Errorf("%q becomes %q and then %q", path, once, again)
			}
		}
		// Whatever else it says, a rule for exactly this path holds.
		if path = "/" + path; path != "/robots.txt" && !strings.ContainsAny(path, "\r\n# \t\x00") && strings.TrimSpace(path) == path {
			escaped := strings.NewReplacer("*", "%2A", "$", "%24").Replace(path)
			if ok, _ := crawler.RobotsAllow("User-agent: *\nDisallow: "+escaped+"$\n", "palate", path); ok {
				t.Errorf("%q is allowed by a rule against it", path)
			}
		}
	})
}
