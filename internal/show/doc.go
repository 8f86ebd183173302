// Package show says how results look on a terminal: which columns a table has,
// and which sentences stand around it. Programs that asked for JSON get the values
// themselves.
package show
