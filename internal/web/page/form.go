package page

import "maps"

import "github.com/a-h/templ"

// fieldAttrs ties an input to its label, its hint and its fault.
func fieldAttrs(id, name, fault, hint string) templ.Attributes {
	attrs := templ.Attributes{"id": id, "name": name}
	described := ""
	if fault != "" {
		attrs["aria-invalid"] = "true"
		described = id + "-error"
	}
	if hint != "" {
		if described != "" {
			described += " "
		}
		described += id + "-hint"
	}
	if described != "" {
		attrs["aria-describedby"] = described
	}
	return attrs
}

// with adds attributes to a copy.
func with(attrs templ.Attributes, more templ.Attributes) templ.Attributes {
	out := templ.Attributes{}
	maps.Copy(out, attrs)
	maps.Copy(out, more)
	return out
}

// fault is the sentence for a field's code, or nothing.
func (c Chrome) fault(fields map[string]string, name string, params map[string]string) string {
	code := fields[name]
	if code == "" {
		return ""
	}
	return c.P.Error(code, params)
}

// summary is the sentence above a form: what is wrong with the whole, or that
// the marked fields need correcting. A fault that stands at its field is not
// said twice.
func summary(c Chrome, code string, params, fields map[string]string) string {
	switch {
	case code != "" && (code != "invalid_input" || len(fields) == 0):
		if fieldHas(fields, code) {
			return c.P.T("form.correct")
		}
		return c.P.Error(code, params)
	case len(fields) > 0:
		return c.P.T("form.correct")
	default:
		return ""
	}
}

func fieldHas(fields map[string]string, code string) bool {
	for _, v := range fields {
		if v == code {
			return true
		}
	}
	return false
}

func autofocus(on bool) templ.Attributes {
	if !on {
		return nil
	}
	return templ.Attributes{"autofocus": true}
}

// required is for a password that must be there; kind is its autocomplete.
// Its length is not bounded here: a browser would cut a long one without a word.
func required(kind string) templ.Attributes {
	return templ.Attributes{"required": true, "autocomplete": kind}
}

func passwordAction(action string) string {
	if action == "" {
		return "/password"
	}
	return action
}

func setupAction(action string) string {
	if action == "" {
		return "/setup"
	}
	return action
}
