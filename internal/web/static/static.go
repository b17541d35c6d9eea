// Package static has the files that a browser asks for beside the pages:
// styles, scripts and fonts. See VENDOR.md for what is not ours.
package static

import "embed"

// Files are served under /assets/.
//
//go:embed app.css app.js chart.js list.js live.js study.js hls.min.js htmx.min.js uplot.min.js icon.svg fonts/*.woff2
var Files embed.FS
