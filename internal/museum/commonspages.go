package museum

import "html/template"

// MediaWiki's pages, with the ids and classes that crawlers of Commons go
// by.
const commonsCategory = `<!DOCTYPE html>
<html class="client-nojs" lang="en">
<head><meta charset="utf-8"><title>{{.Title}} - Palate Commons</title>
{{if .EditURI}}<link rel="EditURI" type="application/rsd+xml" href="{{.EditURI}}">
{{end}}</head>
<body class="mediawiki ltr ns-14">
<div id="content"><h1 id="firstHeading">{{.Title}}</h1>
<div class="mw-category-generated" lang="en">
{{if .Subs}}<div id="mw-subcategories"><h2>Subcategories</h2>
{{range .Subs}}<div class="CategoryTreeItem"><bdi dir="ltr"><a href="{{.Path}}" title="{{.Text}}">{{.Text}}</a></bdi></div>
{{end}}</div>
{{end}}<div id="mw-category-media"><h2>Media in category “{{.Title}}”</h2>
{{if .Next}}(previous page) (<a href="{{.Next}}" title="{{.Title}}">next page</a>)
{{end}}<ul class="gallery mw-gallery-traditional">
{{range .Files}}<li class="gallerybox"><div class="thumb">{{if .Thumb}}<a href="{{.Path}}" class="mw-file-description"><img alt="" src="{{.Thumb}}" decoding="async"></a>{{end}}</div>
<div class="gallerytext"><a href="{{.Path}}" class="galleryfilename galleryfilename-truncate" title="{{.Text}}">{{.Text}}</a></div></li>
{{end}}</ul>
{{if .Next}}(previous page) (<a href="{{.Next}}" title="{{.Title}}">next page</a>)
{{end}}</div></div></div>
<div id="mw-navigation"><a href="/wiki/Special:RecentChanges">Recent changes</a> <a href="http://elsewhere.test/wiki/">Other wikis</a></div>
</body>
</html>
`

const commonsFile = `<!DOCTYPE html>
<html class="client-nojs" lang="en">
<head><meta charset="utf-8"><title>{{.CommonsTitle}} - Palate Commons</title></head>
<body class="mediawiki ltr ns-6">
<div id="content"><h1 id="firstHeading">{{.CommonsTitle}}</h1>
<div class="fullImageLink" id="file"><a href="{{.CommonsImageURL}}"><img alt="{{.CommonsTitle}}" src="{{.Thumb}}" decoding="async" width="{{.Width}}"></a></div>
<table class="fileinfotpl-type-artwork toccolours">
<tr><th id="fileinfotpl_aut" class="fileinfo-paramfield">Artist</th><td><div class="fn value"><a href="{{.CreatorPath}}"><bdi>{{.Artist}}</bdi></a></div></td></tr>
<tr><th id="fileinfotpl_art_title" class="fileinfo-paramfield">Title</th><td><div class="fn"><i>{{.Title}}</i></div></td></tr>
<tr><th id="fileinfotpl_date" class="fileinfo-paramfield">Date</th><td><time class="dtstart" datetime="{{.Year}}">{{.Year}}</time></td></tr>
<tr><th id="fileinfotpl_art_medium" class="fileinfo-paramfield">Medium</th><td>{{.Medium}}</td></tr>
<tr><th id="fileinfotpl_art_id" class="fileinfo-paramfield">Accession number</th><td>{{.ExternalID}}</td></tr>
</table>
<div class="licensetpl"><span class="licensetpl_short" style="display:none">{{.Licence}}</span><span class="licensetpl_link" style="display:none">{{.LicenceURL}}</span>
<a rel="license" href="{{.LicenceURL}}">{{.Licence}}</a></div>
<div id="catlinks"><ul>{{range .Categories}}<li><a href="{{.Path}}">{{.Text}}</a></li>{{end}}</ul></div>
</div>
</body>
</html>
`

var (
	categoryTemplate = template.Must(template.New("category").Parse(commonsCategory))
	fileTemplate     = template.Must(template.New("file").Parse(commonsFile))
)
