package api

import "time"

// Hurry makes the server give up slow requests early; before Run.
func (s *Server) Hurry(headers, grace time.Duration) {
	s.pace.headers, s.pace.grace, s.pace.ahead = headers, grace, grace
}

// ForgetSnapshotsBy lets the lists that are kept be as old as if it were now.
func (s *Server) ForgetSnapshotsBy(now func() time.Time) { s.snapshots.now = now }
