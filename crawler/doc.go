// Package crawler collects pictures of art from HTML galleries and from
// MediaWiki sites such as Wikimedia Commons.
//
// A crawl is a funnel: pages are read for candidates, candidates are
// fetched, what was fetched is validated, what is valid is kept. Each
// candidate ends as exactly one of
//
//   - kept: it was stored by this run,
//   - known: an earlier run had it (or an earlier, killed run of this round),
//   - lost, for a reason that is counted.
//
// So candidates = kept + known + the losses whose reason does not begin with
// "page_"; those that do are pages and API answers that could not be read.
//
// # What is read
//
// A document is read by what is in it, whatever its type and address say:
// HTML, JSON of any shape, IIIF manifests, collections and image information,
// sitemaps, feeds, and the answers of museums' APIs; each kind has a file of
// its own. Sites that publish their pictures by feeds are read by those, and
// those that need an account or a key are refused by name.
//
// # What is a candidate
//
// Every picture that a page shows is one. A picture that links to a page, or
// that stands in a card (the smallest part of the page around it that has a
// link) with a page's link, is a lead: it is left to that page, which may show
// it larger and say more of it. A page that does not show it, by an address
// that differs in no more than a size or by its text, gives it back, and so
// does one that is not read: on another site, too deep, gone, refused. Then
// it is a candidate itself. A picture in a page's header, footer or navigation
// is furniture. One picture in several sizes is one candidate: the narrowest
// size that is no narrower than wanted comes first, and the others stand in
// for it when it is lost.
//
// What pages have shown stands in the Frontier with them, so that it makes no
// difference whether a crawl is killed and goes on.
//
// # What ends a crawl
//
// A page that goes on with the same list is no deeper than it. Pages that
// differ in nothing but numbers, show no picture and lead to nothing else are
// given up after a few as endless, also where a run goes on with what another
// began; MaxPictures holds over all runs and rounds of a crawl. Pages too deep, and pages drawn by scripts
// that name no picture, are counted as lost.
//
// # State
//
// What is to be visited stands in the Frontier, which commits every step: a
// killed crawl goes on where it was and fetches nothing again that was kept.
//
// # Manners
//
// robots.txt is obeyed for pages and pictures on every hop of a redirect. The
// one exception is the api.php of a site that answers siteinfo as MediaWiki:
// that API is published for programs and has a policy of its own, which is
// followed instead (the operator's contact in the User-Agent, one request at
// a time, maxlag, Retry-After). A site whose API is not found or refuses is
// read by its pages.
// All hosts of a registrable domain share one allowance of parallel requests
// and one pace; Wikimedia's sites together have Wikimedia's own, which
// configuration can lower but not raise. Every request names the operator.
package crawler
