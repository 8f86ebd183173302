package crawler

import "github.com/PuerkitoBio/goquery"

// linkScope is the part of a page whose links are followed. Of a MediaWiki's
// category it is the list of its subcategories and files, which is what a
// person meant who named the category; a file's page leads nowhere.
func (p *page) linkScope() *goquery.Selection {
	body := p.doc.Find("body.mediawiki")
	switch {
	case body.Is(".ns-6"):
		return p.doc.Find("body.mediawiki.no-links")
	case body.Is(".ns-14"):
		return p.doc.Find(".mw-category-generated, #mw-category-media, #mw-subcategories").First()
	}
	return p.doc
}
