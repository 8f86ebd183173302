package export

import (
	"time"

	"github.com/palate-art/palate"
	"github.com/palate-art/palate/internal/catalog"
)

// Row is one picture. What is not known is empty.
type Row struct {
	ID       string     `json:"image_id" parquet:"image_id"`
	Verdict  string     `json:"verdict,omitempty" parquet:"verdict"`             // of the profile: like, dislike or skip
	Stars    *int32     `json:"stars,omitempty" parquet:"stars,optional"`        // 1 to 5; null: none were given
	RatedAt  *time.Time `json:"rated_at,omitempty" parquet:"rated_at,timestamp"` // null: not rated
	Title    string     `json:"title,omitempty" parquet:"title"`                 // or the file's name
	Artist   string     `json:"artist,omitempty" parquet:"artist"`               // of the first source that gives one, as the others
	Year     *int32     `json:"year,omitempty" parquet:"year,optional"`          // null: not known
	Date     string     `json:"date,omitempty" parquet:"date"`                   // as the source writes it
	Medium   string     `json:"medium,omitempty" parquet:"medium"`
	Licence  string     `json:"licence,omitempty" parquet:"licence"` // short name
	Terms    string     `json:"licence_url,omitempty" parquet:"licence_url"`
	Credit   string     `json:"credit,omitempty" parquet:"credit"`
	Address  string     `json:"url,omitempty" parquet:"url"` // of the file: a URL or a path
	Page     string     `json:"page,omitempty" parquet:"page"`
	Site     string     `json:"site,omitempty" parquet:"site"`
	External string     `json:"external_id,omitempty" parquet:"external_id"`
	Name     string     `json:"original_name,omitempty" parquet:"original_name"`
	Format   string     `json:"format" parquet:"format"`
	Width    int32      `json:"width" parquet:"width"`             // pixels
	Height   int32      `json:"height" parquet:"height"`           // pixels
	Bytes    int64      `json:"bytes" parquet:"bytes"`             // of the file
	Damage   string     `json:"damage,omitempty" parquet:"damage"` // what is missing or wrong of it though it is shown
	AddedAt  time.Time  `json:"added_at" parquet:"added_at,timestamp"`
	Vector   []float32  `json:"embedding,omitempty" parquet:"embedding,list,optional"` // L2 norm 1; empty unless asked for
}

func rowOf(image catalog.Image, standing catalog.Rating) Row {
	r := Row{ID: image.ID.String(), Title: image.Title(), Artist: image.Artist(), Format: image.Format,
		Width: int32(image.Width), Height: int32(image.Height), Bytes: image.Bytes, Damage: image.Damage, AddedAt: image.AddedAt.UTC()}
	if standing.Verdict != "" {
		at := standing.At.UTC()
		r.Verdict, r.RatedAt = string(standing.Verdict), &at
		if standing.Stars != 0 {
			stars := int32(standing.Stars)
			r.Stars = &stars
		}
	}
	d := image.Described()
	if d.Year != 0 {
		year := int32(d.Year)
		r.Year = &year
	}
	r.Date, r.Medium, r.Licence, r.Terms, r.Credit = d.Date, d.Medium, d.Licence, d.LicenceURL, d.Credit
	r.Address, r.Page, r.Site, r.External, r.Name = d.Address, d.Page, d.Site, d.ExternalID, d.OriginalName
	return r
}

// judged reports that it is liked or disliked.
func (r Row) judged() bool {
	return r.Verdict == string(palate.Like) || r.Verdict == string(palate.Dislike)
}
