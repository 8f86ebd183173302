package crawler

import (
	"strconv"
	"strings"
	"time"
)

// robotsRules are the lines of a robots.txt (RFC 9309) that speak to one
// program. The zero value allows all.
type robotsRules struct {
	rules []robotsRule
	// delay is the largest Crawl-delay; it is no part of the RFC.
	delay time.Duration
}

// robotsRule is one Allow or Disallow line.
type robotsRule struct {
	allow  bool
	length int      // of the pattern, in octets: the longest that matches wins
	pieces []string // of the pattern between its asterisks
	ends   bool     // the pattern ends in a dollar sign
}

// parseRobots reads the groups of the agent or, where none names it, those
// of "*". It takes any text. What a line may get wrong and still be
// understood is understood: blanks around the colon or instead of it, case,
// line ends of any system, a byte order mark.
func parseRobots(text, agent string) robotsRules {
	own, all := robotsRules{}, robotsRules{}
	named := false // a group names the agent
	var forOwn, forAll, inRules bool
	for line := range strings.FieldsFuncSeq(strings.TrimPrefix(text, "\xef\xbb\xbf"), func(r rune) bool { return r == '\n' || r == '\r' }) {
		field, value := robotsLine(line)
		switch field {
		case "user-agent":
			if inRules { // the agents after rules begin another group
				forOwn, forAll, inRules = false, false, false
			}
			switch name := agentToken(value); {
			case name == "*":
				forAll = true
			case strings.EqualFold(name, agent):
				forOwn, named = true, true
			}
		case "allow", "disallow", "crawl-delay":
			inRules = true
			if forOwn {
				own.add(field, value)
			}
			if forAll {
				all.add(field, value)
			}
		}
	}
	if named {
		return own
	}
	return all
}

// robotsLine splits a line at its colon, or at its blank where it has none.
func robotsLine(line string) (field, value string) {
	line, _, _ = strings.Cut(line, "#")
	line = strings.TrimSpace(strings.ReplaceAll(line, "\x00", ""))
	field, value, found := strings.Cut(line, ":")
	if before, after, ok := strings.Cut(line, " "); !found && ok {
		field, value = before, after
	}
	return strings.ToLower(strings.TrimSpace(field)), strings.TrimSpace(value)
}

// agentToken is the name in a User-agent line, without version and comment.
// Names are compared as a whole: "palatebot" is another program.
func agentToken(value string) string {
	if end := strings.IndexAny(value, "/ \t("); end >= 0 {
		value = value[:end]
	}
	return value
}

func (r *robotsRules) add(field, value string) {
	if field == "crawl-delay" {
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
			r.delay = max(r.delay, time.Duration(min(s, 1e9)*float64(time.Second)))
		}
		return
	}
	if value == "" {
		return // no rule, RFC 9309 section 2.2.2
	}
	pattern := normalEscapes(value, true)
	rule := robotsRule{allow: field == "allow", length: len(pattern)}
	pattern, rule.ends = strings.CutSuffix(pattern, "$")
	rule.pieces = strings.Split(strings.ReplaceAll(pattern, "$", "%24"), "*")
	r.rules = append(r.rules, rule)
}

// allows reports whether a path with its query, as in a request, may be
// visited: the rule with the longest pattern says so, and of equals Allow.
// robots.txt itself always may.
func (r robotsRules) allows(path string) bool {
	if path == "/robots.txt" {
		return true
	}
	path = normalEscapes(path, false)
	allow, longest := true, -1
	for _, rule := range r.rules {
		if rule.length < longest || rule.length == longest && !rule.allow || !rule.matches(path) {
			continue
		}
		allow, longest = rule.allow, rule.length
	}
	return allow
}

// matches takes each piece at its first place, which leaves the most for
// those after it; the last of a pattern with an end is taken at the end.
func (r robotsRule) matches(path string) bool {
	rest, ok := strings.CutPrefix(path, r.pieces[0])
	if !ok {
		return false
	}
	if len(r.pieces) == 1 {
		return !r.ends || rest == ""
	}
	last := r.pieces[len(r.pieces)-1]
	for _, piece := range r.pieces[1 : len(r.pieces)-1] {
		at := strings.Index(rest, piece)
		if at < 0 {
			return false
		}
		rest = rest[at+len(piece):]
	}
	if r.ends {
		return strings.HasSuffix(rest, last)
	}
	return strings.Contains(rest, last)
}

const upperHex = "0123456789ABCDEF"

// normalEscapes brings percent-encoding to one form (RFC 9309, section
// 2.2.2): unreserved characters as they are, reserved ones as they stand
// (/a%2Fb is not /a/b), all others escaped. In a path an asterisk or a dollar
// sign is escaped too, since patterns mean something else by them.
func normalEscapes(s string, pattern bool) string {
	var out strings.Builder
	out.Grow(len(s))
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			b = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
			if isUnreserved(b) {
				out.WriteByte(b)
			} else {
				escapeByte(&out, b)
			}
			continue
		}
		special := b == '*' || b == '$'
		if isUnreserved(b) || b == '%' || strings.IndexByte(":/?#[]@!&'()+,;=", b) >= 0 || special && pattern {
			out.WriteByte(b)
		} else {
			escapeByte(&out, b)
		}
	}
	return out.String()
}

func escapeByte(out *strings.Builder, b byte) {
	out.WriteByte('%')
	out.WriteByte(upperHex[b>>4])
	out.WriteByte(upperHex[b&15])
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

func unhex(b byte) byte {
	if b <= '9' {
		return b - '0'
	}
	return b&^0x20 - 'A' + 10
}

// isUnreserved goes by RFC 3986, section 2.3.
func isUnreserved(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0
}
