package school

// PageSize is how many rows a list shows at once.
const PageSize = 20

// Page asks for a part of a list; pages count from 1.
type Page struct{ Number int }

// Offset is how many rows stand before the page.
func (p Page) Offset() int { return (max(p.Number, 1) - 1) * PageSize }

// MaxQuery bounds a search text, in characters.
const MaxQuery = 100
