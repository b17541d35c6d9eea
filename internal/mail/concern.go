package mail

// OfSetUp reports whether the fault concerns every letter alike: the server, the
// login or the sender, not the one letter that met it. That a login is missing, or that
// enough was sent for a day, some servers say of the recipient only.
func (f *Fault) OfSetUp() bool {
	switch f.Stage {
	case StageResolve, StageConnect, StageGreeting, StageTLS, StageLogin, StageSender:
		return true
	default:
		return f.Cause() == causeLoginNeeded || f.Cause() == causeSendingLimit
	}
}
