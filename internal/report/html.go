package report

import (
	"html/template"
	"io"

	"github.com/palate-art/palate/probe/judge"
)

// page needs nothing from elsewhere: styles and plots are in it.
var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; }
p { margin: .3rem 0; max-width: 46rem; } .warnings { background: #fff4d6; padding: .5rem 1rem; } .warnings p { max-width: none; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1.5rem; margin: 1rem 0; } figure { margin: 0; max-width: 36rem; } figcaption { text-align: center; font-weight: 600; }
svg { display: block; width: 100%; height: auto; } svg text { font-family: system-ui, sans-serif !important; font-weight: normal !important; }
.table { overflow-x: auto; } table { border-collapse: collapse; margin: .5rem 0; } th, td { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums; }
ol { margin: .5rem 0; padding-left: 1.8rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
th { font-size: .75rem; letter-spacing: .03em; color: #555; }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<p>{{.Summary}}.</p>
{{if .Warnings}}<div class="warnings" role="note">{{range .Warnings}}<p>{{.}}.</p>{{end}}</div>{{end}}
<div class="plots">
{{range .Figures}}<figure>{{.SVG}}<figcaption>{{.Title}}</figcaption>{{if .Names}}<ol>{{range .Names}}<li>{{.}}</li>{{end}}</ol>{{end}}</figure>
{{end}}</div>
{{range .Sections}}<section>
<h2>{{.Title}}</h2>
{{if .Note}}<p>{{.Note}}</p>{{end}}
<div class="table" tabindex="0" role="region" aria-label="{{.Title}}"><table>{{range $i, $row := .Rows}}<tr>{{range $row}}{{if and . (eq $i 0)}}<th scope="col">{{.}}</th>{{else}}<td>{{.}}</td>{{end}}{{end}}</tr>
{{end}}</table></div>
</section>
{{end}}{{if .Report.Data}}<p><small>{{with .Report.Model}}Model {{.}}, {{end}}data {{.Report.Data}}.</small></p>{{end}}
</main>
</body>
</html>
`))

// HTML writes the report as one page that needs nothing else. The title may
// hold any text.
func HTML(w io.Writer, title string, r *judge.Report) error {
	figures, err := figures(r)
	if err != nil {
		return err
	}
	sections := Sections(r)
	sections[0].Note = "" // the summary, which stands above the plots
	return page.Execute(w, struct {
		Title, Summary string
		Warnings       []string
		Figures        []figure
		Sections       []Section
		Report         *judge.Report
	}{title, Summary(r), r.Warnings, figures, sections, r})
}
