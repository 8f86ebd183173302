// Package faults makes real faults happen to palate: lost catalogs, full disks, endless bodies, named pipes.
package faults
