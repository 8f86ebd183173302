// Package museum is a synthetic art site for the demo, the tests and the
// benchmarks: pictures in ten styles of painting drawn from a seed, with
// artists, titles and licences, served as an HTML gallery and as a MediaWiki
// host whose manners and traps are those of real sites.
//
// # Hosts
//
// One HTTP server stands for four hosts and tells them apart by the Host
// header: GalleryHost (pages), MediaHost (the gallery's pictures),
// CommonsHost (MediaWiki's API and its pages) and UploadHost (its pictures).
// None of the names resolves anywhere; [Museum.DialContext] and
// [DialContextTo] map them, at any port, to the listening address and refuse
// every other host. Addresses in pages carry no port, so they stay the same
// whatever port the server got.
//
// # Pictures
//
// A picture depends on the seed and its index alone (bytes may differ
// between processor architectures, whose compilers round floating point
// differently). Colours are drawn before the style is, from one
// distribution, so that mean colour says nearly nothing of the style, while
// orientation, frequency, edges and layout tell the styles apart. Pictures
// are drawn when first asked for and kept in memory.
//
// # Hostile behaviour
//
// A new museum is a well-behaved site. [Museum.SetBehaviour] switches on
// slow, endless, lying and broken answers for chosen addresses.
package museum
