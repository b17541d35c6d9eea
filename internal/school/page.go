package school

// PageSize is how many rows a list shows at once.
const PageSize = 20

// Page asks for a part of a list; pages count from 1.
type Page struct{ Number int }

// maxPage keeps a number typed into an address far from the end of an int; no
// list is so long.
const maxPage = 1_000_000

// Clamp answers the nearest page that there can be.
func (p Page) Clamp() Page { return Page{Number: min(max(p.Number, 1), maxPage)} }

// Offset is how many rows stand before the page.
func (p Page) Offset() int { return (p.Clamp().Number - 1) * PageSize }

// MaxQuery bounds a search text, in characters.
const MaxQuery = 100
