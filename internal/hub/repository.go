package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/palate-art/palate"
)

// Repository is what the hub says of a repository at one revision.
type Repository struct {
	// Name is ORG/NAME, as the hub calls it now.
	Name string
	// Commit is the one that the revision stands for.
	Commit string
	// Page is where people read about it, and agree to its licence.
	Page string
	// Gated says that files are given out only to who has agreed to the
	// licence.
	Gated bool
	// Licence, LicenceName and LicenceURL are the words of its card: an SPDX
	// name in lower letters or "other", then the name and where it is.
	Licence, LicenceName, LicenceURL string
	// Paths are the files that are in it.
	Paths []string
}

// maxRepositoryBytes bounds what is read of a repository: one of thousands of
// files has some hundred kilobytes.
const maxRepositoryBytes = 16 << 20

// ErrSilent says that a hub gives files and doesn't tell what there is, as some
// mirrors do.
var ErrSilent = errors.New("the hub doesn't tell what is in its repositories")

// Repository asks the hub what is in a repository at a revision, with attempts.
// The errors are those of Stat, and ErrSilent.
func (c *Client) Repository(ctx context.Context, name, revision string) (Repository, error) {
	f := File{Repository: name, Revision: revision, Path: "config.json"} // any
	if err := f.Validate(); err != nil {
		return Repository{}, err
	}
	if c.config.Offline {
		return Repository{}, fmt.Errorf("what is in %s is not asked, as palate is offline (HF_HUB_OFFLINE or --offline): %w", name, palate.ErrUnavailable)
	}
	var found Repository
	err := c.again(ctx, f, func() (bool, error) {
		var err error
		found, err = c.repositoryOnce(ctx, f)
		return false, err
	})
	return found, err
}

func (c *Client) repositoryOnce(ctx context.Context, f File) (Repository, error) {
	req, err := c.request(ctx, http.MethodGet, c.endpoint.JoinPath("api", "models", f.Repository, "revision", f.Revision).String())
	if err != nil {
		return Repository{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Repository{}, unreachable(ctx, c.endpoint.Host, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound && resp.Header.Get("X-Error-Code") == "":
		return Repository{}, ErrSilent
	case resp.StatusCode != http.StatusOK:
		return Repository{}, c.statusError(f, resp)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRepositoryBytes+1))
	if err != nil {
		return Repository{}, passingError{error: fmt.Errorf("%s: the hub's answer broke off: %w: %w", f.Repository, palate.ErrUnavailable, err)}
	}
	if len(text) > maxRepositoryBytes {
		return Repository{}, fmt.Errorf("%s: the hub's answer has more than %d bytes: %w", f.Repository, maxRepositoryBytes, palate.ErrUnavailable)
	}
	r, err := readRepository(text)
	if err != nil {
		return Repository{}, fmt.Errorf("%s: the hub's answer is not what a hub says of a repository: %w: %w", f.Repository, palate.ErrUnavailable, err)
	}
	if r.Name == "" {
		r.Name = f.Repository
	}
	r.Page = c.Page(r.Name)
	return r, nil
}

// Page is where people read about a repository.
func (c *Client) Page(name string) string { return c.endpoint.JoinPath(name).String() }

// readRepository reads the hub's JSON. What is there with another type than is
// known, but is not needed, is as if it were not there: cards are written by
// people.
func readRepository(text []byte) (Repository, error) {
	var said struct {
		ID       string          `json:"id"`
		SHA      string          `json:"sha"`
		Gated    json.RawMessage `json:"gated"` // false, "auto" or "manual"
		Card     json.RawMessage `json:"cardData"`
		Siblings []struct {
			Path string `json:"rfilename"`
		} `json:"siblings"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return Repository{}, err
	}
	if !commitPattern.MatchString(said.SHA) {
		return Repository{}, errors.New("it names no commit (sha)")
	}
	if said.ID != "" && !repositoryPattern.MatchString(said.ID) {
		return Repository{}, fmt.Errorf("it is of %q", said.ID)
	}
	gated := string(said.Gated)
	r := Repository{Name: said.ID, Commit: said.SHA, Gated: gated != "" && gated != "false" && gated != "null"}
	var card map[string]any
	if len(said.Card) > 0 && json.Unmarshal(said.Card, &card) == nil {
		r.Licence, r.LicenceName, r.LicenceURL = word(card["license"]), word(card["license_name"]), word(card["license_link"])
	}
	if r.LicenceURL != "" && !strings.Contains(r.LicenceURL, "://") {
		r.LicenceURL = "" // a file of the repository
	}
	for _, s := range said.Siblings {
		if s.Path != "" && path.Clean("/"+s.Path) == "/"+s.Path {
			r.Paths = append(r.Paths, s.Path)
		}
	}
	return r, nil
}

// word is a card's value in one line: a text, or the texts of a list.
func word(v any) string {
	const most = 300
	switch v := v.(type) {
	case string:
		text := strings.Join(strings.Fields(v), " ")
		if len(text) > most {
			text = strings.ToValidUTF8(text[:most], "") + "…"
		}
		return text
	case []any:
		words := make([]string, 0, len(v))
		for _, one := range v {
			if text, isText := one.(string); isText {
				words = append(words, text)
			}
		}
		return word(strings.Join(words, ", "))
	}
	return ""
}
