// Package demo tries everything that palate does on the synthetic museum: it
// crawls the museum into a collection, embeds and indexes what came, lets a
// visitor with a known taste rate some of it, learns the taste, and judges what
// was learned on the pictures that the visitor never rated, against what the
// visitor truly likes. What it finds is a Report; it prints nothing.
package demo
