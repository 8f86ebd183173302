package museum

import (
	"fmt"
	"strings"
)

// language makes titles of one language. Every noun fits every frame.
type language struct {
	frames []string // %s is a noun
	nouns  []string
}

var languages = []language{
	{[]string{"%s", "Study of %s", "Remembering %s", "%s, Late Evening", "Toward %s", "%s before Rain"},
		[]string{"Harbour", "Orchards", "Quiet Water", "Winter Fields", "Two Hills", "a Market Square", "Early Light", "Salt Marsh", "an Empty Room", "Copper Roofs"}},
	{[]string{"%s", "Этюд: %s", "%s на рассвете", "Память. %s"},
		[]string{"Синяя река", "Ночной город", "Осенний ветер", "Белый круг", "Тишина", "Ржаное поле"}},
	{[]string{"%s", "%s圖", "夜雨後的%s", "%s(習作)"},
		[]string{"山水", "秋江", "竹林", "雪後的村莊", "遠山", "荷塘"}},
	{[]string{"%s", "دراسة: %s", "%s عند الغروب"},
		[]string{"البحر الهادئ", "حديقة الرمان", "ضوء الصباح", "الجبل البعيد"}},
	{[]string{"%s", "Studie (%s)", "%s im März", "Größe und Maß: %s"},
		[]string{"Brücke über den Fluß", "Düne", "Grüner Hügel", "Spätes Licht"}},
	{[]string{"%s", "« %s »", "Étude d’après %s", "%s, l’été"},
		[]string{"Les Peupliers", "L’Île déserte", "Crépuscule", "La Forêt mouillée"}},
	{[]string{"%s", "%sの習作", "%s・其の三"},
		[]string{"波", "月夜", "五月の雨", "静かな庭"}},
	{[]string{"%s 🌊", "🌿 %s", "%s 🎨🖌️", "%s 👩🏽‍🎨"},
		[]string{"Tide", "Garden Song", "Blue Hour", "Noise & Signal"}},
	{[]string{"%s", "Σπουδή για %s"},
		[]string{"το φως", "τη θάλασσα", "τον ελαιώνα"}},
}

// Marks that break careless code: markup, a query, a percent, a quote.
var awkward = []string{
	`Question & Answer <No. %d>`, `"Untitled" (100%% grey, %d)`, `What is it? #%d`, `A/B; or, +%d`, "Line\u00a0%d – Dash — “Quote”",
}

const sharedTitle = "Untitled Composition"

var longTail = []string{
	", painted after a walk of three days along the coast, in memory of everyone who kept the lamps lit during the long winter",
	" — с подробным описанием всех красок, кистей и настроений, сопровождавших художницу во время работы над этой картиной",
	",以及畫家在旅途中所見的一切:山、水、雲、樹、橋、舟、寺、塔、村、市、人、鳥、花、雨、雪、月、星",
	" 🎨🖌️🌊🏔️🌅🌾🌧️❄️🌙⭐🌸🍂🦢🐟🪵🪨",
}

// titleOf draws a title. Works 3 and 11 share one; every 29th title is
// longer than 240 bytes of UTF-8.
func titleOf(s source, index int) string {
	if index == 3 || index == 11 {
		return sharedTitle
	}
	l := pick(s, languages)
	title := fmt.Sprintf(pick(s, l.frames), pick(s, l.nouns))
	switch {
	case index%29 == 5:
		for i := s.IntN(len(longTail)); len(title) <= 240; i++ {
			title += longTail[i%len(longTail)]
		}
	case index%23 == 7:
		title = fmt.Sprintf(awkward[index/23%len(awkward)], index)
	}
	return title
}

// fileTitle is how MediaWiki would name the file: without the characters
// that it forbids, at most 240 bytes with the extension, and unlike every
// other name in taken.
func fileTitle(title, extension string, taken map[string]bool) string {
	clean := strings.Map(func(r rune) rune {
		switch r {
		case '#', '<', '>', '[', ']', '|', '{', '}', '/', ':', '\\', '_', '%', '+', '&', '?':
			return '-'
		case '\u00a0':
			return ' '
		}
		return r
	}, title)
	clean = strings.Join(strings.Fields(clean), " ")
	for n := 1; ; n++ {
		suffix := extension
		if n > 1 {
			suffix = fmt.Sprintf(" (%d)%s", n, extension)
		}
		name := strings.TrimSpace(cutBytes(clean, 240-len(suffix))) + suffix
		if !taken[name] {
			taken[name] = true
			return name
		}
	}
}

// cutBytes gives the longest beginning of at most n bytes that cuts no rune.
func cutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
