package page

import "strings"

// errorTitle is the heading for a status; the sentence below it is about the
// code.
func errorTitle(c Chrome, status int) string {
	switch {
	case status == 404:
		return c.P.T("error_page.not_found")
	case status == 401 || status == 403:
		return c.P.T("error_page.forbidden")
	case status == 429:
		return c.P.T("error_page.wait")
	case status >= 500:
		return c.P.T("error_page.broken")
	default:
		return c.P.T("error_page.other")
	}
}

// retryPath keeps the button on this site.
func retryPath(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
		return "/"
	}
	return to
}
