package catalog

import "fmt"

// Words say what was added, a line each.
func (m Merged) Words() []string {
	words := []string{fmt.Sprintf("%d entries of the log of ratings were added, %d were there", m.Added, m.Known)}
	if m.Older > 0 {
		words = append(words, fmt.Sprintf("%d of these are older than what was said here since, which stands", m.Older))
	}
	if m.Absent > 0 {
		words = append(words, fmt.Sprintf("%d of these are of pictures that are not here; they count as soon as these come", m.Absent))
	}
	return words
}
