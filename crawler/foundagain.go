package crawler

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
)

// A round visits each address once, and finds many of them often. What an
// address carries when it is found again must not be lost: pictures that link
// to a page, and pictures that a page shows instead of the one that led to it.
// The frontier decides on them with the tasks themselves, in one commit: so
// neither the order of visits nor the end of a process makes a difference.

// Stand says that a picture is shown by a page for one that links to that
// page under another address and without a name: the page is taken at its
// word. A picture that stands for two is part of the site's frame.
type Stand struct {
	Page string `json:"page"`
	Lead Lead   `json:"lead"`
}

// Seen is a task that a frontier has, as far as it matters when the same
// address is found again.
type Seen struct {
	State  State
	Reason string // of a loss

	Leads []Lead // of a page that is pending
	Shown string // of a page that was read: its Outcome's
	For   *Stand // of a picture
	Frame bool   // of a picture: it stood for several, and stands for none now
}

// FoundAgain decides on what a task carries that the round has seen: a page's
// leads, and the one that a picture stands for. now is what the frontier is to
// remember in place of have; further are candidates, to be added like any
// other that was found.
func FoundAgain(have Seen, found Task) (now Seen, further []Task) {
	if found.Kind == Image {
		return standsAgain(have, found)
	}
	if have.State == Pending {
		room := max(0, maxLeads-len(have.Leads))
		now = have
		now.Leads = append(slices.Clone(have.Leads), found.Leads[:min(room, len(found.Leads))]...)
		return now, candidatesOf(found.Leads[min(room, len(found.Leads)):])
	}
	return leadsAgain(have, found)
}

func candidatesOf(leads []Lead) []Task {
	var out []Task
	for _, l := range leads {
		if len(l.Addresses) > 0 {
			l.Source.Title = firstOf(l.Source.Title, l.Caption)
			out = append(out, l.task())
		}
	}
	return out
}

// leadsAgain decides on leads to a page that has ended.
func leadsAgain(have Seen, found Task) (now Seen, further []Task) {
	if have.State == Kept || have.State == Known || have.State == Lost && !isPageReason(have.Reason) {
		return have, nil // its address gave a picture: what links to it is its smaller size
	}
	page := readShown(have.Shown)
	for _, l := range found.Leads {
		switch {
		case len(l.Addresses) == 0:
		case page.Refused != "":
			further = append(further, refusedTask(page.Refused, l.Addresses[0]))
		case page.shows(l):
		case page.Only.standsFor(l, found.Leads) && page.Only.isAbout(l):
			page.stand(l)
		case page.Only.standsFor(l, found.Leads) && (len(page.Stood) == 0 || page.Unnamed):
			// Found again, the picture is asked whether it stands for another one already.
			page.stand(l)
			page.Unnamed = len(page.Stood) == 1
			further = append(further, Task{Kind: Image, URL: page.Only.URL, Referer: found.URL, For: &Stand{Page: found.URL, Lead: l}})
		default:
			further = append(further, candidatesOf([]Lead{l})...)
		}
	}
	now = have
	now.Shown = page.text()
	return now, further
}

// standsAgain decides on the lead that a picture stands for which was found
// before.
func standsAgain(have Seen, found Task) (now Seen, further []Task) {
	now = have
	switch {
	case found.For == nil:
	case have.Frame:
		further = candidatesOf([]Lead{found.For.Lead})
	case have.For == nil:
		now.For = found.For
	case have.For.Page != found.For.Page || have.For.Lead.strict() != found.For.Lead.strict():
		further = candidatesOf([]Lead{have.For.Lead, found.For.Lead})
		now.For, now.Frame = nil, true
	}
	return now, further
}

// maxShownMarks bounds what is remembered of a page. A lead that this leaves
// out is fetched beside the picture that shows it.
const maxShownMarks = 128

// shownPage is what is remembered of a page that was read.
type shownPage struct {
	Version int          `json:"v"`
	Own     marks        `json:"own,omitempty"`     // of the pictures it showed
	Handed  marks        `json:"handed,omitempty"`  // of those that it left to other pages
	Only    *onlyPicture `json:"only,omitempty"`    // that may stand for leads
	Stood   []uint32     `json:"stood,omitempty"`   // the leads that it stands for
	Unnamed bool         `json:"unnamed,omitempty"` // it stands for one on no more than the link's word
	Refused string       `json:"refused,omitempty"` // the reason for which all its leads are lost
}

const shownVersion = 1

func (s *shownPage) text() string {
	s.Version = shownVersion
	text, err := json.Marshal(s)
	if err != nil {
		return "" // leads will be candidates
	}
	return string(text)
}

// readShown reads a page's memory. One that can't be read shows nothing.
func readShown(text string) *shownPage {
	s := &shownPage{}
	if json.Unmarshal([]byte(text), s) != nil || s.Version != shownVersion {
		return &shownPage{}
	}
	return s
}

// shows reports a lead that the page showed by an address that differs in no
// more than a size. One that it left to another page counts, but not twice:
// else two pages could leave a picture to each other.
func (s *shownPage) shows(l Lead) bool {
	for _, m := range soughtMarks(l.Addresses) {
		if s.Own.has(m) || !l.Passed && s.Handed.has(m) {
			return true
		}
	}
	return false
}

// stand notes a lead that the page's only picture stands for.
func (s *shownPage) stand(l Lead) {
	s.Own.add(l.marks())
	if own := uint32(hashOf(l.strict())); len(s.Stood) < maxLeads && !slices.Contains(s.Stood, own) {
		s.Stood = append(s.Stood, own)
	}
}

// marks tell pictures by what their addresses have in common: the lower half
// of each hash, which is enough within one page.
type marks []uint32

func (m marks) has(mark uint64) bool { return slices.Contains(m, uint32(mark)) }

func (m *marks) add(more []uint64) {
	for _, mark := range more {
		if len(*m) < maxShownMarks && !m.has(mark) {
			*m = append(*m, uint32(mark))
		}
	}
}

// MarshalText implements encoding.TextMarshaler.
func (m marks) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 4*len(m))
	for _, mark := range m {
		raw = binary.LittleEndian.AppendUint32(raw, mark)
	}
	return base64.RawStdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *marks) UnmarshalText(text []byte) error {
	raw, err := base64.RawStdEncoding.DecodeString(string(text))
	if err != nil {
		return err
	}
	for ; len(raw) >= 4; raw = raw[4:] {
		*m = append(*m, binary.LittleEndian.Uint32(raw))
	}
	return nil
}
