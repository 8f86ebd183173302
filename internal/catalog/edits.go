package catalog

import (
	"context"
	"slices"

	"github.com/palate-art/palate"
)

// What a person says of an image is a source of it, which this site and this
// address mark. No file comes from there.
const (
	EditSite    = "you"
	EditAddress = "palate:you"
)

// Edits keeps what a person says of an image beside what was found. The edit
// is the first of an image's sources, whenever it was made, and where it gives
// a field, lists and attributes filter by that alone: what other sources give
// is kept, and counts again once the edit is taken back. A search looks
// through all sources. No crawl and no import touches an edit; it goes into
// the trash with its image, and comes back with it.
type Edits interface {
	// EditImage changes the edit of an image to what change makes of the
	// present one, which is empty if there is none; an edit that is empty is
	// taken back. Of what change returns, the fields that NewEdit keeps are
	// taken. An error of change is returned and nothing is written, nor is
	// anything if nothing is another. change is called while others can't
	// write; it must not call the catalog. ErrNotFound without the image.
	EditImage(ctx context.Context, id palate.ImageID, change func(palate.Source) (palate.Source, error)) error
}

// NewEdit is an edit of what a source says of the work: its title, artist,
// year, date, medium, categories, licence and its address, and credit.
func NewEdit(s palate.Source) palate.Source {
	return palate.Source{
		Address: EditAddress, Site: EditSite, RetrievedAt: s.RetrievedAt,
		Title: s.Title, Artist: s.Artist, Year: s.Year, Date: s.Date, Medium: s.Medium, Categories: slices.Clone(s.Categories),
		Licence: s.Licence, LicenceURL: s.LicenceURL, Credit: s.Credit,
	}
}

// IsEdit reports whether a source of an image is what a person says of it.
func IsEdit(s palate.Source) bool { return s.Address == EditAddress }

// Edit is what a person says of the image; empty if nothing.
func (i Image) Edit() palate.Source {
	for _, s := range i.Sources {
		if IsEdit(s) {
			return s
		}
	}
	return palate.Source{}
}

// Found are the sources that the image was found at, without an edit.
func (i Image) Found() []palate.Source {
	return slices.DeleteFunc(slices.Clone(i.Sources), IsEdit)
}

// Described says of the image, in each field, what the first source gives that
// gives it; Address, Page, Site, ExternalID, OriginalName and RetrievedAt are of
// where it was found. Beside a licence that was edited stands no address of
// another one, and beside such a year no other date.
func (i Image) Described() palate.Source {
	var d palate.Source
	edit := i.Edit()
	for _, s := range i.Sources {
		if IsEdit(s) {
			s.Address, s.Site = "", ""
		} else {
			if edit.Licence != "" && edit.Licence != s.Licence {
				s.LicenceURL = ""
			}
			if edit.Year != 0 {
				s.Date = ""
			}
			if d.RetrievedAt.IsZero() {
				d.RetrievedAt = s.RetrievedAt
			}
		}
		if d.Year == 0 {
			d.Year = s.Year
		}
		if len(d.Categories) == 0 {
			d.Categories = s.Categories
		}
		for _, f := range []struct {
			to   *string
			from string
		}{
			{&d.Title, s.Title}, {&d.Artist, s.Artist}, {&d.Date, s.Date}, {&d.Medium, s.Medium}, {&d.Licence, s.Licence},
			{&d.LicenceURL, s.LicenceURL}, {&d.Credit, s.Credit}, {&d.Address, s.Address}, {&d.Page, s.Page}, {&d.Site, s.Site},
			{&d.ExternalID, s.ExternalID}, {&d.OriginalName, s.OriginalName},
		} {
			if *f.to == "" {
				*f.to = f.from
			}
		}
	}
	return d
}
