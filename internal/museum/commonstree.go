package museum

import (
	"crypto/md5"
	"fmt"
	"strings"
)

// rootCategory holds every work, directly or in a category below it.
const rootCategory = "Paintings in the Palate Museum"

// The first page ids of files and categories.
const (
	filePageBase     = 40_000
	extraPageBase    = 30_000
	categoryPageBase = 10_000
)

// Files of MediaWiki that are no pictures to be had: one without imageinfo,
// one whose file is lost, one that is sound.
var extras = []struct{ name, kind string }{
	{"Lost painting, entry without a file.jpg", "no imageinfo"},
	{"Lost painting, file missing.jpg", "filemissing"},
	{"Audio guide to the museum.ogg", "audio"},
}

// member is one page in a category.
type member struct {
	pageID int
	title  string // with namespace
	file   bool   // else a subcategory
	work   int    // -1 for extras and subcategories
}

type category struct {
	name    string // without namespace
	pageID  int
	members []member // subcategories first, then files
}

func styleCategory(style Style) string {
	return strings.ToUpper(style[:1]) + style[1:] + " paintings"
}

// lateCategory is a category two below the root.
func lateCategory(style Style) string { return styleCategory(style) + ", late works" }

// planCategories lays out the tree: a category for each style, with one for
// late works in it. A quarter of the works is in the root, half of those in
// their style's category too; a quarter is in late works only. Every
// late-works category has the root as a subcategory: a cycle.
func planCategories(works []Work) map[string]*category {
	all := make(map[string]*category)
	add := func(name string) *category {
		c := &category{name: name, pageID: categoryPageBase + len(all)}
		all[name] = c
		return c
	}
	under := func(parent, child *category) {
		parent.members = append(parent.members, member{child.pageID, "Category:" + child.name, false, -1})
	}
	root := add(rootCategory)
	for _, style := range Styles() {
		of, late := add(styleCategory(style)), add(lateCategory(style))
		under(root, of)
		under(of, late)
		under(late, root)
	}
	for i, e := range extras {
		root.members = append(root.members, member{extraPageBase + i, "File:" + e.name, true, -1})
	}
	for _, w := range works {
		as := member{w.CommonsPageID, w.CommonsTitle, true, w.Index}
		if w.Index%4 == 0 {
			root.members = append(root.members, as)
		}
		if w.Index%4 == 1 {
			late := all[lateCategory(w.Style)]
			late.members = append(late.members, as)
		} else if w.Index%8 != 4 {
			of := all[styleCategory(w.Style)]
			of.members = append(of.members, as)
		}
	}
	return all
}

// categoryOf finds a category by its title with namespace.
func (m *Museum) categoryOf(title string) (*category, bool) {
	name, ok := strings.CutPrefix(strings.ReplaceAll(title, "_", " "), "Category:")
	if !ok {
		return nil, false
	}
	c, ok := m.categories[name]
	return c, ok
}

// hashFolders is where MediaWiki keeps a file: "a/ab/" from the MD5 of its
// name.
func hashFolders(name string) string {
	sum := fmt.Sprintf("%x", md5.Sum([]byte(strings.ReplaceAll(name, " ", "_"))))
	return sum[:1] + "/" + sum[:2] + "/"
}
