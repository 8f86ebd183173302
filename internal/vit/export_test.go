package vit

// Graph is Build before the graph is written.
var Graph = build
