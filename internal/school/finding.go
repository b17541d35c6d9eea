package school

// Finding is one thing that an examination of the database found wrong, or one
// thing that a repair did about it. It is English: only the terminal shows it.
type Finding struct {
	// Check names the check: triggers, unlocks, …
	Check string `json:"check"`
	// Problem is one sentence: what is wrong; of a repair, what was done.
	Problem string `json:"problem"`
	// Remedy is what to do about it; empty for what a repair has done.
	Remedy string `json:"remedy,omitempty"`
	// Subject is the student it is about; empty when it is not about one.
	Subject UserID `json:"subject,omitempty"`
	// Fixable: a repair puts it right.
	Fixable bool `json:"fixable"`
}
