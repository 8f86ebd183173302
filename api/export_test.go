package api

import "time"

// Hurry makes the server give up slow requests early; before Run.
func (s *Server) Hurry(headers, grace time.Duration) {
	s.pace.headers, s.pace.grace, s.pace.ahead = headers, grace, grace
}
