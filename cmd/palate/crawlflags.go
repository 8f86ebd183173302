package main

import (
	"time"
)

// crawlFlags say how a crawl behaves: collection.CrawlBehaviour on the command
// line.
type crawlFlags struct {
	Contact     string `help:"Your e-mail address or page: sites want to know whom to ask. Goes into the User-Agent." placeholder:"ADDRESS"`
	MaxPages    int    `help:"Pages to visit at most." default:"0" placeholder:"N"`
	MaxPictures int    `help:"Pictures that a crawl of this name brings in at most, over all its runs; those it knows are counted." default:"0" placeholder:"N"`
	MaxDepth    int    `help:"Links to follow from the first page at most." default:"-1" placeholder:"N"`

	Want     string   `help:"Width of the pictures wanted, in pixels: of the sizes a site has, the smallest that is not smaller; or \"largest\"." default:"1024" placeholder:"N|largest"`
	Host     []string `help:"Further host whose pages are followed; pictures may come from anywhere." placeholder:"HOST"`
	Include  []string `help:"Follow only pages whose address matches; the first page always is." placeholder:"REGEXP" sep:"none"`
	Exclude  []string `help:"Leave pages and pictures whose address matches." placeholder:"REGEXP" sep:"none"`
	Filter   []string `help:"Take only pictures that meet all of this, such as \"width>=1000, aspect<2, type=jpeg|png, licence~CC, artist!~Anon, year>=1800, title~harbour\"." placeholder:"CONDITIONS" sep:"none"`
	Range    string   `help:"Take only these of the pictures in the order in which they are met, such as 1-100." placeholder:"FROM-TO"`
	OptedOut bool     `help:"Take pictures although their site forbids to learn from them (noai, noimageai)." name:"opted-out"`

	Delay     *time.Duration `help:"Pause between two requests to a site (default: 250ms). Less than 100ms is for sites of your own: on this machine, or at a private address that you name." placeholder:"DURATION"`
	Parallel  int            `help:"Requests to a site at a time (default: 2; more than 8 for sites of your own)." placeholder:"N"`
	LimitRate string         `help:"Bytes a second from a site at most, such as 500K or 2M." placeholder:"RATE"`
	Site      []string       `help:"Other limits for one site: \"HOST delay=2s parallel=1 rate=1M\"." placeholder:"LIMITS" sep:"none"`
	Retries   int            `help:"Further tries after a failure that may pass." default:"-1" placeholder:"N"`
	Timeout   time.Duration  `help:"How long a site may be silent." default:"0s" placeholder:"DURATION"`
	Cookies   string         `help:"File of cookies as browsers' add-ons and curl write it (cookies.txt)." placeholder:"FILE" type:"path"`
	Header    []string       `help:"Header for the sites that you name, such as \"X-Token: abc\"." placeholder:"NAME:VALUE" sep:"none"`
	Proxy     string         `help:"Proxy to go through, http, https or socks5 (default: as the environment says)." placeholder:"URL"`
}
