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
// # What is a candidate
//
// A picture that links to a page belongs to that page and is left to it; so
// is a picture that stands in a card (the smallest part of the page around
// it that has a link) with a page's link. Such a page that turns out to hold
// no picture gives the one that led to it. A picture in a page's header,
// footer or navigation is furniture. A page that describes one work gives
// one picture, the largest that it names, whichever way it does. A picture
// that is offered in several sizes is one candidate with alternatives.
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
