package museum

import "html/template"

// The gallery's pages. Among their links are some that a crawler must not
// follow: other hosts, other schemes, rooms that robots.txt closes, images
// without an address.
const galleryFrame = `{{define "head"}}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{.Heading}} · Palate Museum</title>
<link rel="icon" href="/static/icons/heart.png">
{{end}}{{define "nav"}}</head>
<body>
<header>
<a href="/"><img src="/static/logo.png" alt="Palate Museum" width="120" height="40"></a>
<nav><a href="/">Collection</a> <a href="/artists">Artists</a> <a href="/calendar/{{.Year}}/1">Exhibitions</a> <a href="/about#visit">About</a>
<a href="/private/">Private rooms</a> <a href="#top">Top</a></nav>
</header>
<main id="top">
<h1>{{.Heading}}</h1>
{{end}}{{define "foot"}}</main>
<footer>
<img src="/static/icons/search.png" alt=""><img src="/static/icons/menu.png" alt=""><img src="/static/pixel.gif" alt=""><img alt="no address"><img src="" alt="">
<a href="http://elsewhere.test/museums/">Other museums</a> <a href="mailto:desk@museum.palate.test">Write to us</a> <a href="ftp://museum.palate.test/catalogue">Catalogue</a> <a href="javascript:void(0)">Share</a>
<a href="http://elsewhere.test/banner"><img src="http://elsewhere.test/banner-900.jpg" alt="Advertisement"></a>
</footer>
</body>
</html>
{{end}}`

const galleryList = galleryFrame + `{{template "head" .}}{{with .Previous}}<link rel="prev" href="{{.}}">
{{end}}{{with .Next}}<link rel="next" href="{{.}}">
{{end}}{{template "nav" .}}<img src="/static/banner.png" alt="" width="600" height="48">
<ul class="works">
{{range .Works}}<li class="work">
{{if eq .Kind "img"}}<a href="{{.Path}}"><img src="{{.Thumb}}" alt="{{.Title}}" width="160"></a>
{{else if eq .Kind "data-src"}}<a href="{{.Path}}"><img class="lazy" src="/static/pixel.gif" data-src="{{.Thumb}}" alt="{{.Title}}"></a>
{{else if eq .Kind "data-lazy-src"}}<a href="{{.Path}}"><img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-lazy-src="{{.Thumb}}" alt=""><noscript><img src="{{.Thumb}}" alt=""></noscript></a>
{{else if eq .Kind "srcset"}}<a href="{{.Path}}"><img src="{{.Thumb}}" srcset="{{.Set}}" sizes="160px" alt=""></a>
{{else if eq .Kind "picture"}}<a href="{{.Path}}"><picture><source srcset="{{.Set}}" type="{{.ContentType}}"><img src="{{.Thumb}}" alt=""></picture></a>
{{else if eq .Kind "full-link"}}<a href="{{.Full}}"><img src="{{.Thumb}}" alt="{{.Title}}"></a>
{{else if eq .Kind "noscript"}}<a href="{{.Path}}"><noscript><img src="{{.Thumb}}" alt=""></noscript></a>
{{else}}<a class="image" href="{{.Path}}"><img src="{{.Thumb}}" alt=""></a>
{{end}}<p><a href="{{.Path}}">{{.Title}}</a>, {{.Artist}}</p>
</li>
{{end}}</ul>
<nav class="pages">{{with .Previous}}<a rel="prev" href="{{.}}">previous page</a> {{end}}<a href="/">1</a>{{range .Numbers}} <a href="/page/{{.}}">{{.}}</a>{{end}}{{with .Next}} <a rel="next" href="{{.}}">next page</a>{{end}}</nav>
{{template "foot" .}}`

const galleryWork = galleryFrame + `{{template "head" .}}{{if eq .Kind "og:image"}}<meta property="og:title" content="{{.Title}}">
<meta property="og:image" content="{{.Full}}">
{{end}}{{with .JSONLD}}<script type="application/ld+json">{{.}}</script>
{{end}}{{template "nav" .}}<article{{if .Microdata}} itemscope itemtype="https://schema.org/VisualArtwork"{{end}}>
<figure>
{{if eq .Kind "img"}}<img class="full" src="{{.Full}}" alt="{{.Title}}" width="{{.Width}}" height="{{.Height}}">
{{else if eq .Kind "data-src"}}<img class="full lazy" src="/static/pixel.gif" data-src="{{.Full}}" alt="{{.Title}}">
{{else if eq .Kind "data-lazy-src"}}<img class="full" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-lazy-src="{{.Full}}" alt="{{.Title}}">
{{else if eq .Kind "srcset"}}<img class="full" src="{{.Thumb}}" srcset="{{.Set}}" sizes="100vw" alt="{{.Title}}">
{{else if eq .Kind "picture"}}<picture><source srcset="{{.Set}}" type="{{.ContentType}}"><img class="full" src="{{.Thumb}}" alt="{{.Title}}"></picture>
{{else if eq .Kind "full-link"}}<a href="{{.Full}}"><img src="{{.Thumb}}" alt="{{.Title}}"></a>
{{else if eq .Kind "noscript"}}<div class="viewer" data-work="{{.Index}}"></div><noscript><img class="full" src="{{.Full}}" alt="{{.Title}}"></noscript>
{{else if eq .Kind "redirect" "relative"}}<img class="full" src="{{.Full}}" alt="{{.Title}}">
{{else}}<div class="viewer" data-work="{{.Index}}"></div>
{{end}}</figure>
<table class="record">
<tr><th>Artist</th><td{{if .Microdata}} itemprop="creator"{{end}}><a href="/artists/{{.Artist}}">{{.Name}}</a></td></tr>
<tr><th>Title</th><td{{if .Microdata}} itemprop="name"{{end}}>{{.Title}}</td></tr>
<tr><th>Year</th><td{{if .Microdata}} itemprop="dateCreated"{{end}}>{{.Work.Year}}</td></tr>
<tr><th>Medium</th><td{{if .Microdata}} itemprop="artMedium"{{end}}>{{.Medium}}</td></tr>
<tr><th>Licence</th><td><a rel="license"{{if .Microdata}} itemprop="license"{{end}} href="{{.LicenceURL}}">{{.Licence}}</a></td></tr>
<tr><th>Accession number</th><td{{if .Microdata}} itemprop="identifier"{{end}}>{{.ExternalID}}</td></tr>
<tr><th>Categories</th><td>{{range $i, $c := .Categories}}{{if $i}}; {{end}}{{$c}}{{end}}</td></tr>
</table>
</article>
{{template "foot" .}}`

const galleryArtists = galleryFrame + `{{template "head" .}}{{template "nav" .}}<ul>
{{range $i, $name := .Names}}<li><a href="/artists/{{$i}}">{{$name}}</a></li>
{{end}}{{range .Works}}<li><a href="{{.Path}}">{{.Title}}</a>, {{.Year}}</li>
{{end}}</ul>
{{template "foot" .}}`

const galleryCalendar = galleryFrame + `{{template "head" .}}{{template "nav" .}}<p>Nothing is planned.</p>
{{range .Links}}<a href="{{.}}">{{.}}</a>
{{end}}{{template "foot" .}}`

const galleryAbout = galleryFrame + `{{template "head" .}}{{template "nav" .}}<p id="visit">Every picture here was drawn by a program. See the <a href="/artists">artists</a> or the <a href="/">collection</a>.</p>
{{template "foot" .}}`

var (
	listTemplate     = template.Must(template.New("list").Parse(galleryList))
	workTemplate     = template.Must(template.New("work").Parse(galleryWork))
	artistTemplate   = template.Must(template.New("artists").Parse(galleryArtists))
	calendarTemplate = template.Must(template.New("calendar").Parse(galleryCalendar))
	aboutTemplate    = template.Must(template.New("about").Parse(galleryAbout))
)
